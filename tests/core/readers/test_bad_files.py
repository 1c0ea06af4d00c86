from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from trackleed.builtin.readers.series import Series
from trackleed.errors import InputError

OpenSeries = Callable[..., Series]


@pytest.fixture(params=[".png", ".tif", ".bmp", ".jpg"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """Five frames of noise."""
    rng = np.random.default_rng(3)
    for n in range(5):
        frame = rng.integers(0, 255, (64, 64), dtype=np.uint8)
        Image.fromarray(frame).save(tmp_path / f"f_{n}{request.param}")
    return tmp_path, request.param


def test_a_file_of_another_size_is_named(folder: tuple[Path, str], open_series: OpenSeries) -> None:
    path, ending = folder
    # The first is the odd one: it is still the one that is named.
    Image.fromarray(np.zeros((32, 64), np.uint8)).save(path / f"f_0{ending}")
    with pytest.raises(InputError, match=rf"f_0\{ending} is 64 x 32 px uint8, 4 of 5") as caught:
        open_series(path)
    assert "--skip-bad" in (caught.value.hint or "")
    series = open_series(path, skip_bad=True)
    assert (len(series), series.shape) == (4, (64, 64))
    assert f"f_0{ending}" in series.skipped[0]


@pytest.mark.parametrize("content", [b"", b"not an image at all"])
def test_an_empty_file_or_no_image_is_named(
    folder: tuple[Path, str], open_series: OpenSeries, content: bytes
) -> None:
    path, ending = folder
    (path / f"f_2{ending}").write_bytes(content)
    with pytest.raises(InputError, match=rf"f_2\{ending}: (the file is empty|no .* can be read)"):
        open_series(path)
    series = open_series(path, skip_bad=True)
    assert len(series) == 4
    assert list(series.index["frame"]) == [0, 1, 2, 3]
    assert len(series.skipped) == 1


@pytest.mark.parametrize("kept", [0.9, 0.5])
def test_a_file_that_is_cut_short_never_gives_pixels(
    folder: tuple[Path, str], open_series: OpenSeries, kept: float
) -> None:
    path, ending = folder
    bad = path / f"f_2{ending}"
    bad.write_bytes(bad.read_bytes()[: int(kept * bad.stat().st_size)])
    with pytest.raises(InputError, match=rf"f_2\{ending}"):
        open_series(path).read(2)
    series = open_series(path, skip_bad=True)
    assert len(series) == 4
    assert [reason for reason in series.skipped if bad.name in reason]
    for i in range(4):
        assert series.read(i).shape == (64, 64)


def test_a_file_that_goes_away_between_opening_and_reading_is_named(
    folder: tuple[Path, str], open_series: OpenSeries
) -> None:
    path, ending = folder
    series = open_series(path)
    (path / f"f_4{ending}").unlink()
    with pytest.raises(InputError, match=rf"f_4\{ending}"):
        series.read(4)


def test_8_and_16_bit_frames_are_not_mixed(tmp_path: Path, open_series: OpenSeries) -> None:
    for n in range(3):
        Image.fromarray(np.zeros((8, 8), np.uint16)).save(tmp_path / f"{n}.png")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "3.png")
    with pytest.raises(InputError, match=r"3\.png is 8 x 8 px uint8, 3 of 4 frames .* uint16"):
        open_series(tmp_path)


def test_complex_pixels_are_no_counts(tmp_path: Path, open_series: OpenSeries) -> None:
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((8, 8), np.complex64))
    with pytest.raises(InputError, match="complex64 are no counts"):
        open_series(tmp_path)


def test_nothing_but_bad_files_is_an_error_even_when_they_may_be_skipped(
    tmp_path: Path, open_series: OpenSeries
) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(InputError, match=r"none of the frames .*a\.png: the file is empty"):
        open_series(tmp_path, skip_bad=True)
