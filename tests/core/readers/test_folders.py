from __future__ import annotations

import random
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trackleed.builtin.readers.listing import natural_key
from trackleed.builtin.readers.series import Series
from trackleed.errors import InputError

OpenSeries = Callable[..., Series]


@pytest.mark.parametrize("ending", [".tif", ".TIFF", ".png", ".BMP", ".bmp"])
def test_8_bit_frames_come_back_as_they_were_written(
    tmp_path: Path, open_series: OpenSeries, ending: str
) -> None:
    frames = [np.full((12, 16), 20 * i, np.uint8) + np.arange(16, dtype=np.uint8) for i in range(3)]
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"f_{i}{ending}")
    series = open_series(tmp_path)
    assert (len(series), series.shape, series.dtype) == (3, (12, 16), np.uint8)
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(series.read(i), frame)


@pytest.mark.parametrize("ending", [".tif", ".png"])
def test_16_bit_frames_come_back_as_they_were_written(
    tmp_path: Path, open_series: OpenSeries, grey: np.ndarray, ending: str
) -> None:
    Image.fromarray(grey).save(tmp_path / f"one{ending}")
    for path in (tmp_path, tmp_path / f"one{ending}"):
        series = open_series(path)
        assert series.dtype == np.uint16
        np.testing.assert_array_equal(series.read(0), grey)


@pytest.mark.parametrize("dtype", [">u2", "<u2", "i2", "f4", "u4"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_keeps_its_type_of_number(
    tmp_path: Path, open_series: OpenSeries, dtype: str, compression: str | None
) -> None:
    frame = (np.arange(12 * 16).reshape(12, 16) - (50 if dtype in ("i2", "f4") else 0)).astype(
        dtype
    )
    tifffile.imwrite(tmp_path / "f.tif", frame, byteorder=dtype[0] if dtype[0] in "<>" else None,
                     compression=compression)  # fmt: skip
    series = open_series(tmp_path)
    assert series.dtype == np.dtype(dtype).newbyteorder("=")
    assert series.read(0).dtype.isnative
    np.testing.assert_array_equal(series.read(0), frame)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_compressed_tiff_is_read(
    tmp_path: Path, open_series: OpenSeries, grey: np.ndarray, compression: str
) -> None:
    Image.fromarray(grey).save(tmp_path / "f.tif", compression=compression)
    np.testing.assert_array_equal(open_series(tmp_path).read(0), grey)


def test_inverted_tiff_shows_bright_as_high_counts(tmp_path: Path, open_series: OpenSeries) -> None:
    stored = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)
    tifffile.imwrite(tmp_path / "f.tif", stored, photometric="miniswhite")
    np.testing.assert_array_equal(open_series(tmp_path).read(0), 255 - stored)


@pytest.mark.parametrize(
    ("mode", "ending"),
    [("RGB", ".png"), ("RGBA", ".png"), ("LA", ".png"), ("P", ".png"), ("1", ".png"),
     ("RGB", ".tif"), ("RGBA", ".tif"), ("LA", ".tif"), ("RGB", ".bmp"), ("P", ".bmp")],
)  # fmt: skip
def test_a_grey_image_stored_in_colours_is_grey_again(
    tmp_path: Path, open_series: OpenSeries, mode: str, ending: str
) -> None:
    frame = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)
    frame = frame // 128 * 255 if mode == "1" else frame
    Image.fromarray(frame).convert(mode).save(tmp_path / f"f{ending}")
    series = open_series(tmp_path)
    np.testing.assert_array_equal(series.read(0), frame)
    assert not any("colours" in note for note in series.notes)


def test_a_colour_table_of_a_tiff_is_decoration(tmp_path: Path, open_series: OpenSeries) -> None:
    frame = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)
    table = np.random.default_rng(0).integers(0, 65535, (3, 256), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "f.tif", frame, photometric="palette", colormap=table)
    series = open_series(tmp_path)
    np.testing.assert_array_equal(series.read(0), frame)
    assert any("colour table" in note for note in series.notes)


def test_of_true_colours_one_channel_is_used_in_all_frames_and_said(
    tmp_path: Path, open_series: OpenSeries
) -> None:
    colours = np.zeros((2, 12, 16, 3), np.uint8)
    colours[0, ..., 1], colours[0, ..., 2], colours[1, ..., 0] = 200, 90, 30
    for i in range(2):
        Image.fromarray(colours[i]).save(tmp_path / f"{i}.png")
    series = open_series(tmp_path)
    assert [int(series.read(i).max()) for i in range(2)] == [200, 0]
    assert "true colours: the green channel is used; channel= chooses" in series.notes
    assert open_series(tmp_path, channel="blue").read(0).max() == 90


def test_jpeg_is_read_grey_and_in_colours(tmp_path: Path, open_series: OpenSeries) -> None:
    frame = np.full((16, 16), 120, np.uint8)
    Image.fromarray(frame).save(tmp_path / "0.JPG")
    Image.fromarray(frame).convert("RGB").save(tmp_path / "1.jpeg")
    series = open_series(tmp_path)
    assert [series.read(i).shape for i in range(2)] == [(16, 16), (16, 16)]
    np.testing.assert_allclose(series.read(1), 120, atol=2)


def test_a_colour_png_of_16_bits_is_refused_not_cut_to_8(
    tmp_path: Path, open_series: OpenSeries
) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1 + 2 * 6))
    data = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    with pytest.raises(InputError, match=r"deep\.png: colour PNG with 16 bits") as caught:
        open_series(tmp_path)
    assert "grey PNG" in (caught.value.hint or "")


def test_frames_come_in_the_order_of_their_numbers(tmp_path: Path, open_series: OpenSeries) -> None:
    for n in (10, 9, 100, 1, 2):
        Image.fromarray(np.full((4, 4), n, np.uint8)).save(tmp_path / f"Frame_{n}.png")
    Image.fromarray(np.full((4, 4), 3, np.uint8)).save(tmp_path / "frame_3.PNG")
    series = open_series(tmp_path)
    assert [int(series.read(i)[0, 0]) for i in range(6)] == [1, 2, 3, 9, 10, 100]
    assert list(series.index["file_number"]) == [1, 2, 3, 9, 10, 100]


def test_energies_in_names_sort_as_decimals_and_other_dots_do_not() -> None:
    energies = ["a_9.5eV", "a_10eV", "a_10.25eV", "a_10.5eV", "a_100eV"]
    scans = ["scan1.9", "scan1.10", "scan2.1"]
    for names in (energies, scans):
        paths = [Path(f"{name}.tif") for name in names]
        assert sorted(random.sample(paths, len(paths)), key=natural_key) == paths


@settings(max_examples=100)
@given(st.lists(st.text(alphabet="ab1230_.(), E", min_size=1, max_size=10), min_size=2, max_size=6))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    paths = [Path(f"{name}.tif") for name in names]
    backwards = paths[::-1]
    assert sorted(backwards, key=natural_key) == sorted(paths, key=natural_key)


def test_a_download_copy_stands_in_the_place_of_its_original(
    tmp_path: Path, open_series: OpenSeries
) -> None:
    for n, name in enumerate(("x_1", "x_2 (1)", "x_3")):
        Image.fromarray(np.full((4, 4), n, np.uint8)).save(tmp_path / f"{name}.tiff")
    series = open_series(tmp_path)
    assert list(series.index["source"]) == ["x_1.tiff", "x_2 (1).tiff", "x_3.tiff"]
    assert list(series.index["file_number"]) == [1, 2, 3]


def test_a_copy_with_the_same_bytes_is_left_out_and_listed_and_another_kept(
    tmp_path: Path, open_series: OpenSeries
) -> None:
    for n in range(3):
        Image.fromarray(np.full((4, 4), n, np.uint8)).save(tmp_path / f"x_{n}.png")
    shutil.copy(tmp_path / "x_0.png", tmp_path / "x_0 (1).png")
    shutil.copy(tmp_path / "x_0.png", tmp_path / "x_1 (1).png")
    series = open_series(tmp_path)
    names = ["x_0.png", "x_1.png", "x_1 (1).png", "x_2.png"]
    assert list(series.index["source"]) == names
    assert series.skipped == ["x_0 (1).png: the same bytes as x_0.png"]
    assert any("x_1 (1).png and x_1.png differ" in note for note in series.notes)


def test_numbers_in_brackets_without_an_original_are_a_counter(
    tmp_path: Path, open_series: OpenSeries
) -> None:
    for n in (1, 2, 10, 100):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / f"scan ({n}).png")
    series = open_series(tmp_path)
    assert list(series.index["source"]) == [f"scan ({n}).png" for n in (1, 2, 10, 100)]
    assert not series.skipped


def test_other_files_and_hidden_ones_are_no_frames(tmp_path: Path, open_series: OpenSeries) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a.png")
    for name in (".DS_Store", "._a.png", "notes.txt", "table.csv", "old.dat"):
        (tmp_path / name).write_text("x,y\n1,2\n")
    (tmp_path / "sub.png").mkdir()
    assert list(open_series(tmp_path).index["source"]) == ["a.png"]


def test_images_of_several_kinds_are_not_mixed_but_a_glob_chooses(
    tmp_path: Path, open_series: OpenSeries
) -> None:
    for name in ("a.png", "b.png", "overview.jpg"):
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / name)
    with pytest.raises(InputError, match="several kinds: 2 PNG, 1 JPEG") as caught:
        open_series(tmp_path)
    assert f"{tmp_path}/*.png" in (caught.value.hint or "")
    assert len(open_series(tmp_path / "*.png")) == 2


def test_a_glob_over_folders_names_them_in_source(tmp_path: Path, open_series: OpenSeries) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / folder / "1.png")
    assert list(open_series(tmp_path / "*" / "*.png").index["source"]) == ["a/1.png", "b/1.png"]


def test_nothing_to_read_is_said_with_what_is_there(
    tmp_path: Path, open_series: OpenSeries
) -> None:
    with pytest.raises(InputError, match="it is empty"):
        open_series(tmp_path)
    (tmp_path / "a.dat").touch()
    with pytest.raises(InputError, match=r"1 \.dat") as caught:
        open_series(tmp_path)
    assert ".tiff" in (caught.value.hint or "")
    with pytest.raises(InputError, match="matches no file"):
        open_series(tmp_path / "*.tif")
    (tmp_path / "inner").mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "inner" / "1.png")
    with pytest.raises(InputError, match="in folders inside it: inner"):
        open_series(tmp_path)


def test_frames_are_sampled_and_numbered_anew(tmp_path: Path, open_series: OpenSeries) -> None:
    for n in range(10):
        Image.fromarray(np.full((4, 4), n, np.uint8)).save(tmp_path / f"{n}.png")
    series = open_series(tmp_path, first=2, last=8, every=3)
    assert [int(series.read(i)[0, 0]) for i in range(len(series))] == [2, 5, 8]
    assert list(series.index["frame"]) == [0, 1, 2]
    with pytest.raises(InputError, match="none of the frames asked for"):
        open_series(tmp_path, first=10)


def test_12_bits_packed_into_bytes_are_read(tmp_path: Path, open_series: OpenSeries) -> None:
    values = np.arange(8 * 16, dtype=np.uint16).reshape(8, 16) * 31
    pairs = values.reshape(-1, 2).astype(np.uint32)
    packed = (pairs[:, 0] << 12 | pairs[:, 1]).astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]
    path = tmp_path / "packed.tif"
    tifffile.imwrite(path, np.pad(packed.ravel(), (0, 64)).reshape(8, 16, 2).view("<u2")[..., 0])
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags["BitsPerSample"].overwrite(12)
        file.pages[0].tags["StripByteCounts"].overwrite(packed.size)
    np.testing.assert_array_equal(open_series(path).read(0), values)


def test_a_packing_that_cannot_be_read_is_said_and_not_called_damage(
    tmp_path: Path, open_series: OpenSeries, grey: np.ndarray
) -> None:
    tifffile.imwrite(tmp_path / "packed.tif", grey)
    with tifffile.TiffFile(tmp_path / "packed.tif", mode="r+") as file:
        file.pages[0].tags["Compression"].overwrite(tifffile.COMPRESSION.JPEG2000)
    with pytest.raises(InputError, match=r"packed\.tif: .*imagecodecs") as caught:
        open_series(tmp_path).read(0)
    assert caught.value.hint == "save it without compression"


def test_a_thumbnail_in_a_tiff_is_no_frame(
    tmp_path: Path, open_series: OpenSeries, grey: np.ndarray
) -> None:
    with tifffile.TiffWriter(tmp_path / "f.tif") as writer:
        writer.write(grey)
        writer.write(grey[::2, ::2], subfiletype=1)
    assert len(open_series(tmp_path)) == 1
