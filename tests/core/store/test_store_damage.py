from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from trackleed.errors import SessionDamaged, SessionError
from trackleed.store import Store, open_frames

FRAMES = np.arange(4 * 5 * 7, dtype=np.uint16).reshape(4, 5, 7)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.create(tmp_path / "store.zarr", 4, (5, 7), "uint16")
    for frame in FRAMES:
        store.append(frame)
    store.put_image("valid", np.ones((5, 7)))
    return store


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """What a full disk does, for every file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


@pytest.mark.parametrize("harm", [Path.unlink, cut])
def test_a_damaged_frame_is_named_and_the_others_are_read(
    store: Store, harm: Callable[[Path], None]
) -> None:
    harm(store.path / "frames" / "c.2.0.0")
    frames = open_frames(store.path)
    np.testing.assert_array_equal(frames[3], FRAMES[3])
    with pytest.raises(SessionDamaged, match="frame 2"):
        frames[2]
    assert Store.open(store.path).check() == ["store.zarr: frame 2 missing or cut short"]


def test_a_frame_with_too_many_bytes_is_damaged(store: Store) -> None:
    with (store.path / "frames" / "c.1.0.0").open("ab") as file:
        file.write(b"x")
    with pytest.raises(SessionDamaged, match="frame 1 has 71 bytes, should have 70"):
        open_frames(store.path)[1]


def test_several_damaged_frames_are_counted(store: Store) -> None:
    for i in (1, 2, 3):
        (store.path / "frames" / f"c.{i}.0.0").unlink()
    assert store.check() == ["store.zarr: frame 1 and 2 more missing or cut short"]


def test_a_frame_that_was_not_counted_does_not_matter(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "store.zarr", 4, (5, 7), "uint16")
    store.append(FRAMES[0])
    (store.path / "frames" / "c.1.0.0").write_bytes(b"killed while writing")
    assert store.check() == []
    for frame in FRAMES[1:]:
        store.append(frame)
    np.testing.assert_array_equal(list(store.frames()), FRAMES)


def test_a_damaged_image_is_named(store: Store) -> None:
    cut(store.path / "valid" / "c.0.0")
    assert "valid image" in store.check()[0]
    with pytest.raises(SessionDamaged, match="valid image"):
        open_frames(store.path)


def test_a_missing_mask_is_not_taken_for_no_mask(store: Store) -> None:
    shutil.rmtree(store.path / "valid")
    with pytest.raises(SessionDamaged, match="valid image"):
        store.frames()


def test_an_image_that_was_not_finished_does_not_count(store: Store) -> None:
    shutil.copytree(store.path / "valid", store.path / "dark")
    assert store.image("dark") is None
    store.put_image("dark", np.full((5, 7), 3))
    assert (Store.open(store.path).image("dark") == 3).all()


@pytest.mark.parametrize("file", ["zarr.json", "frames/zarr.json"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b'{"attributes": 1}', b"\xff"])
def test_unreadable_metadata_is_damage(store: Store, file: str, content: bytes | None) -> None:
    if content is None:
        (store.path / file).unlink()
    else:
        (store.path / file).write_bytes(content)
    with pytest.raises(SessionDamaged, match=r"zarr\.json"):
        Store.open(store.path)


@pytest.mark.parametrize("n_valid", [-1, 5, "4", None])
def test_a_senseless_count_is_damage(store: Store, n_valid: object) -> None:
    meta = json.loads((store.path / "zarr.json").read_text())
    meta["attributes"]["n_valid"] = n_valid
    (store.path / "zarr.json").write_text(json.dumps(meta))
    with pytest.raises(SessionDamaged, match="how many frames"):
        Store.open(store.path)


def test_another_layout_is_refused(tmp_path: Path) -> None:
    import zarr

    group = zarr.create_group(
        tmp_path / "store.zarr", attributes={"n_valid": 1, "settings": {}, "images": []}
    )
    group.create_array("frames", shape=(4, 5, 7), chunks=(1, 5, 7), dtype="uint16")
    with pytest.raises(SessionDamaged, match="frames"):
        Store.open(tmp_path / "store.zarr")


def test_a_full_disk_costs_only_the_frame_that_did_not_fit(tmp_path: Path) -> None:
    frames = np.zeros((2, 64, 64), np.uint16) + np.uint16(9)
    store = Store.create(tmp_path / "store.zarr", 2, (64, 64), "uint16")
    store.append(frames[0])
    with files_no_larger_than(4096), pytest.raises(SessionError, match="File too large"):
        store.append(frames[1])
    assert store.n_valid == 1
    assert store.check() == []
    store.append(frames[1])
    np.testing.assert_array_equal(list(open_frames(store.path)), frames)


def test_a_full_disk_keeps_the_image_that_was_there(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "store.zarr", 2, (64, 64), "uint16")
    store.put_image("valid", np.ones((64, 64)))
    with files_no_larger_than(2048), pytest.raises(SessionError, match="File too large"):
        store.put_image("valid", np.zeros((64, 64)))
    assert Store.open(store.path).frames().valid.all()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SessionError, match=r"cannot write to .*store\.zarr"):
        Store.create(tmp_path / "file" / "store.zarr", 2, (5, 7), "uint16")
