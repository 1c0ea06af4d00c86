from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from trackleed.builtin.readers.series import Series
from trackleed.errors import InputError

OpenSeries = Callable[..., Series]


@pytest.fixture
def stack() -> np.ndarray:
    return np.arange(6 * 12 * 16, dtype=np.uint16).reshape(6, 12, 16)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"rowsperstrip": 5},
        {"imagej": True},
        {"imagej": True, "byteorder": ">"},
        {"bigtiff": True},
        {"tile": (16, 16)},
        {"metadata": None},
        {"ome": True},
    ],
    ids=str,
)
def test_every_page_of_a_stack_is_a_frame(
    tmp_path: Path, open_series: OpenSeries, stack: np.ndarray, options: dict[str, Any]
) -> None:
    tifffile.imwrite(tmp_path / "s.tif", stack, photometric="minisblack", **options)
    series = open_series(tmp_path / "s.tif")
    assert (len(series), series.shape, series.dtype) == (6, (12, 16), np.uint16)
    for i in (5, 0, 3):
        np.testing.assert_array_equal(series.read(i), stack[i])
    assert series.index["source"][4] == "s.tif[4]"


def test_pages_written_one_by_one_are_read(
    tmp_path: Path, open_series: OpenSeries, stack: np.ndarray
) -> None:
    images = [Image.fromarray(frame) for frame in stack]
    for compression in (None, "tiff_lzw"):
        images[0].save(
            tmp_path / "s.tif", save_all=True, append_images=images[1:], compression=compression
        )
        series = open_series(tmp_path / "s.tif")
        for i in (5, 0):
            np.testing.assert_array_equal(series.read(i), stack[i])


def test_an_imagej_file_with_one_header_for_all_images_is_read_whole(
    tmp_path: Path, open_series: OpenSeries, stack: np.ndarray
) -> None:
    # ImageJ writes files over 4 GB so: the other pages are only counted, not listed.
    path = tmp_path / "virtual.tif"
    tifffile.imwrite(
        path, stack.reshape(1, 6 * 12, 16)[0], imagej=False, metadata=None, byteorder=">",
        description="ImageJ=1.53\nimages=6\nslices=6\n",
    )  # fmt: skip
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags["ImageLength"].overwrite(12)
        file.pages[0].tags["RowsPerStrip"].overwrite(12)
        file.pages[0].tags["StripByteCounts"].overwrite(12 * 16 * 2)
    series = open_series(path)
    assert len(series) == 6
    np.testing.assert_array_equal(series.read(5), stack[5])


def test_a_hyperstack_is_read_in_the_order_of_the_file_and_said(
    tmp_path: Path, open_series: OpenSeries, stack: np.ndarray
) -> None:
    cube = stack.reshape(3, 2, 12, 16)
    tifffile.imwrite(
        tmp_path / "h.tif", cube, imagej=True, metadata={"axes": "TZYX", "finterval": 0.5}
    )
    series = open_series(tmp_path / "h.tif")
    np.testing.assert_array_equal(series.read(3), cube[1, 1])
    assert list(series.index["time_s"]) == [0, 0, 0.5, 0.5, 1, 1]
    assert any("axes T 3, Z 2" in note for note in series.notes)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_a_stack_in_colours_gives_one_channel(
    tmp_path: Path, open_series: OpenSeries, stack: np.ndarray, planar: str
) -> None:
    axis = -1 if planar == "contig" else 1
    colours = np.stack([stack] * 3, axis=axis)
    tifffile.imwrite(tmp_path / "c.tif", colours, photometric="rgb", planarconfig=planar)
    series = open_series(tmp_path / "c.tif")
    assert (len(series), series.dtype) == (6, np.uint16)
    np.testing.assert_array_equal(series.read(5), stack[5])


def test_a_stack_in_a_folder_becomes_its_frames(
    tmp_path: Path, open_series: OpenSeries, stack: np.ndarray
) -> None:
    tifffile.imwrite(tmp_path / "a_1.tif", stack[:2], photometric="minisblack")
    tifffile.imwrite(tmp_path / "a_2.tif", stack[2], photometric="minisblack")
    series = open_series(tmp_path)
    assert list(series.index["source"]) == ["a_1.tif[0]", "a_1.tif[1]", "a_2.tif"]
    np.testing.assert_array_equal(series.read(2), stack[2])


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"imagej": True}], ids=str)
@pytest.mark.parametrize("kept", [0.97, 0.5, 0.3])
def test_a_stack_that_is_cut_short_is_refused_when_opened(
    tmp_path: Path, open_series: OpenSeries, stack: np.ndarray, options: dict[str, Any], kept: float
) -> None:
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, stack, photometric="minisblack", **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(InputError, match=r"s\.tif: .*(cut short|damaged)"):
        open_series(path)


def test_of_a_stack_cut_short_the_whole_images_can_be_had(
    tmp_path: Path, open_series: OpenSeries, stack: np.ndarray
) -> None:
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, stack, photometric="minisblack")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    series = open_series(path, skip_bad=True)
    assert 1 <= len(series) < 4
    np.testing.assert_array_equal(series.read(len(series) - 1), stack[len(series) - 1])
    assert f"holds {len(series)} of 6 images" in series.skipped[0]


@pytest.fixture
def gif(tmp_path: Path) -> Path:
    images = [Image.fromarray(np.full((12, 16), 30 * i, np.uint8)) for i in range(7)]
    images[0].save(tmp_path / "m.gif", save_all=True, append_images=images[1:], duration=100)
    return tmp_path / "m.gif"


def test_a_gif_is_sampled_and_its_playing_time_is_no_time(
    gif: Path, open_series: OpenSeries
) -> None:
    series = open_series(gif, every=3)
    assert series.dtype == np.uint8
    assert [int(series.read(i)[5, 5]) for i in (2, 0, 1)] == [180, 0, 90]
    assert list(series.index["source"]) == ["m.gif[0]", "m.gif[3]", "m.gif[6]"]
    assert series.index["time_s"].isna().all()


@pytest.mark.parametrize("lost", [1, 40, 300])
def test_a_gif_that_is_cut_short_is_refused(gif: Path, open_series: OpenSeries, lost: int) -> None:
    gif.write_bytes(gif.read_bytes()[:-lost])
    with pytest.raises(InputError, match=r"m\.gif: .*(cut short|damaged)"):
        open_series(gif)
