from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr

from trackleed.errors import InputError, SessionBusy, SessionExists
from trackleed.store import Store, open_frames


def series(n: int, shape: tuple[int, int] = (5, 7), dtype: str = "uint16") -> np.ndarray:
    rng = np.random.default_rng(7)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=(n, *shape)).astype(dtype)
    return rng.integers(0, 2, (n, *shape)).astype(dtype) * 200


def filled(path: Path, frames: np.ndarray, n_frames: int | None = None) -> Store:
    store = Store.create(path, n_frames or len(frames), frames.shape[1:], frames.dtype)
    for frame in frames:
        store.append(frame)
    return store


@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", ">u2", "int32", ">f4", "float32", "float64", "bool"]
)
def test_frames_come_back_as_they_were_written(tmp_path: Path, dtype: str) -> None:
    frames = series(4, dtype=dtype)
    filled(tmp_path / "store.zarr", frames)
    read = open_frames(tmp_path / "store.zarr")
    assert read.dtype == frames.dtype.newbyteorder("<")
    np.testing.assert_array_equal(list(read), frames)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">f4", "bool"])
def test_zarr_reads_the_same(tmp_path: Path, dtype: str) -> None:
    frames = series(4, dtype=dtype)
    frames[2] = 0  # an empty frame is kept like any other
    store = filled(tmp_path / "store.zarr", frames)
    store.put_image("valid", np.eye(5, 7))
    store.set(saturation=255)
    group = zarr.open_group(tmp_path / "store.zarr", mode="r")
    assert group.metadata.zarr_format == 3
    np.testing.assert_array_equal(group["frames"][:], frames)
    np.testing.assert_array_equal(group["valid"][:], np.eye(5, 7, dtype=bool))
    assert sorted(name for name, _ in group.members()) == ["frames", "valid"]
    assert group.attrs["n_valid"] == 4
    assert group.attrs["settings"]["saturation"] == 255


def test_what_zarr_writes_is_read(tmp_path: Path) -> None:
    store = filled(tmp_path / "store.zarr", series(2))
    array = zarr.open_group(tmp_path / "store.zarr", mode="r+")["frames"]
    array[1] = np.full((5, 7), 1234, np.uint16)
    assert (store.frames()[1] == 1234).all()


def test_a_chunk_file_is_the_raw_frame(tmp_path: Path) -> None:
    frames = series(3, dtype=">u2")
    filled(tmp_path / "store.zarr", frames)
    raw = np.fromfile(tmp_path / "store.zarr" / "frames" / "c.2.0.0", "<u2")
    np.testing.assert_array_equal(raw.reshape(5, 7), frames[2])


def test_only_written_frames_are_shown(tmp_path: Path) -> None:
    frames = series(3)
    store = filled(tmp_path / "store.zarr", frames[:2], n_frames=3)
    assert (store.n_valid, store.n_frames, len(store.frames())) == (2, 3, 2)
    with pytest.raises(IndexError):
        store.frames()[2]
    Store.open(store.path).append(frames[2])
    np.testing.assert_array_equal(list(store.frames()), frames)


def test_frames_cannot_be_written_to(tmp_path: Path) -> None:
    store = filled(tmp_path / "store.zarr", series(1))
    store.put_image("dark", np.ones((5, 7)))
    frames = store.frames()
    for image in (frames[0], frames.raw(0), frames.valid, store.image("dark")):
        with pytest.raises(ValueError, match="read-only"):
            image[0, 0] = 1


def test_frames_can_be_sent_to_another_process(tmp_path: Path) -> None:
    frames = series(2)
    store = filled(tmp_path / "store.zarr", frames)
    sent = pickle.loads(pickle.dumps(store.frames({"energy_eV": np.array([50.0, 51.0])})))
    np.testing.assert_array_equal(sent[1], frames[1])
    assert sent.index["energy_eV"][1] == 51


def test_mask_noise_and_correction_reach_the_frames(tmp_path: Path) -> None:
    frames = series(2) + np.uint16(10)
    store = filled(tmp_path / "store.zarr", frames)
    plain = store.frames()
    assert plain.valid.all()
    assert plain.saturation is None
    assert plain.correction is None
    valid = np.arange(35).reshape(5, 7) % 2 == 0
    background = np.full((5, 7), 4.0)
    store.put_image("valid", valid)
    store.put_image("dark", np.full((5, 7), 3))
    store.put_image("background", background)
    store.set(saturation=210, gain=2.5, read_noise=np.float32(1.5), black=3)
    known = open_frames(store.path)
    np.testing.assert_array_equal(known.valid, valid)
    np.testing.assert_array_equal(known[1], frames[1] - 4.0)  # dark taken off both
    assert known.dtype == np.float32
    assert (known.noise.gain, known.noise.read_noise, known.noise.black) == (2.5, 1.5, 3)
    assert known.saturated(0).sum() == (frames[0] >= 210).sum()
    store.set(background_mode="normalise")
    np.testing.assert_allclose(store.frames()[1], frames[1] - 3.0)


def test_an_image_is_replaced(tmp_path: Path) -> None:
    store = filled(tmp_path / "store.zarr", series(1))
    assert store.image("flat") is None
    store.put_image("flat", np.ones((5, 7)))
    store.put_image("flat", np.full((5, 7), 2.5))
    assert (Store.open(store.path).image("flat") == 2.5).all()


def test_settings_are_kept_and_can_be_forgotten(tmp_path: Path) -> None:
    store = filled(tmp_path / "store.zarr", series(1))
    assert set(store.settings.values()) == {None}
    store.set(saturation=255, background_mode="subtract")
    Store.open(store.path).set(saturation=None, black=0.5)
    assert store.settings["black"] == 0.5
    assert store.settings["saturation"] is None
    assert store.settings["background_mode"] == "subtract"


@pytest.mark.parametrize("settings", [{"gian": 1}, {"gain": np.nan}, {"black": np.inf}])
def test_settings_that_make_no_sense_are_refused(
    tmp_path: Path, settings: dict[str, float]
) -> None:
    store = filled(tmp_path / "store.zarr", series(1))
    with pytest.raises(InputError, match=next(iter(settings))):
        store.set(**settings)


def test_a_wrong_frame_is_refused(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "store.zarr", 1, (5, 7), "uint16")
    with pytest.raises(InputError, match=r"\(7, 5\)"):
        store.append(np.zeros((7, 5), np.uint16))
    with pytest.raises(InputError, match="float64"):
        store.append(np.zeros((5, 7)))
    store.append(np.zeros((5, 7), np.uint16))
    with pytest.raises(InputError, match="all of its 1 frames"):
        store.append(np.zeros((5, 7), np.uint16))


def test_a_wrong_image_is_refused(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "store.zarr", 1, (5, 7), "uint16")
    with pytest.raises(InputError, match="brightness"):
        store.put_image("brightness", np.zeros((5, 7)))
    with pytest.raises(InputError, match=r"\(7, 5\)"):
        store.put_image("valid", np.zeros((7, 5)))
    assert store.image("valid") is None


@pytest.mark.parametrize(
    ("n", "shape", "dtype"), [(0, (5, 7), "u2"), (3, (0, 7), "u2"), (3, (5, 7), "complex64")]
)
def test_a_store_that_cannot_be_is_refused(
    tmp_path: Path, n: int, shape: tuple[int, int], dtype: str
) -> None:
    with pytest.raises(InputError, match="cannot keep"):
        Store.create(tmp_path / "store.zarr", n, shape, dtype)
    assert not (tmp_path / "store.zarr").exists()


def test_a_store_is_never_replaced(tmp_path: Path) -> None:
    store = filled(tmp_path / "store.zarr", series(2))
    with pytest.raises(SessionExists):
        Store.create(store.path, 2, (5, 7), "uint16")
    assert store.n_valid == 2


def test_a_second_writer_of_frames_is_noticed(tmp_path: Path) -> None:
    frames = series(3)
    first = filled(tmp_path / "store.zarr", frames[:1], n_frames=3)
    Store.open(first.path).append(frames[1])
    with pytest.raises(SessionBusy, match="another process"):
        first.append(frames[2])
    assert first.n_valid == 2


@pytest.mark.parametrize("every", [0.0, 60.0])
def test_many_frames_are_written_at_once(
    tmp_path: Path, every: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackleed.store.store.COUNT_EVERY", every)
    frames = series(5)
    store = filled(tmp_path / "store.zarr", frames[:1], n_frames=5)
    counts = list(store.extend(frames[1:]))
    assert counts == ([5] if every else [2, 3, 4, 5])
    assert store.n_valid == 5
    np.testing.assert_array_equal(list(open_frames(store.path)), frames)
    with pytest.raises(InputError, match="all of its 5 frames"):
        list(store.extend(frames[:1]))


def test_frames_count_only_when_they_are_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackleed.store.store.COUNT_EVERY", 60.0)
    store = Store.create(tmp_path / "store.zarr", 4, (5, 7), "uint16")
    others = Store.open(store.path)
    valid = []

    def frames() -> Iterator[np.ndarray]:
        for frame in series(3):
            valid.append(others.n_valid)
            yield frame
        raise OSError("file 3 is gone")

    with pytest.raises(OSError, match="file 3"):
        list(store.extend(frames()))
    assert valid == [0, 0, 0]
    assert others.n_valid == 0
    store.append(series(1)[0])
    assert others.n_valid == 1


def test_a_second_writer_of_many_frames_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackleed.store.store.COUNT_EVERY", 0.0)
    frames = series(4)
    store = Store.create(tmp_path / "store.zarr", 4, (5, 7), "uint16")
    counts = store.extend(frames)
    assert next(counts) == 1
    Store.open(store.path).append(frames[1])
    with pytest.raises(SessionBusy, match="another process"):
        next(counts)
    assert store.n_valid == 2


def test_reading_needs_neither_zarr_nor_pandas(tmp_path: Path) -> None:
    store = filled(tmp_path / "store.zarr", series(2))
    store.put_image("valid", np.ones((5, 7)))
    code = f"""
import sys
from pathlib import Path
from trackleed.store import open_frames
frames = open_frames(Path({str(store.path)!r}))
print(int(frames[1].sum()), bool(frames.valid.all()))
print([name for name in ("zarr", "pandas", "pyarrow", "scipy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == [f"{int(series(2)[1].sum())} True", "[]"]
