"""TIFF files that are written alike are not parsed, and read as if they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from trackleed.builtin.readers import tiff
from trackleed.builtin.readers.alike import Alike

FIRST = np.arange(30, dtype=np.uint16).reshape(5, 6)


def write(path: Path, pixels: Any = FIRST, **options: Any) -> Path:
    tifffile.imwrite(path, pixels, **{"metadata": None, **options})
    return path


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are parsed."""
    names: list[str] = []
    parse = tiff.list_pages

    def note(path: Path) -> Any:
        names.append(path.name)
        return parse(path)

    monkeypatch.setattr(tiff, "list_pages", note)
    return names


def test_files_that_differ_in_their_pixels_only_are_parsed_once(
    tmp_path: Path, parsed: list[str]
) -> None:
    files = [write(tmp_path / f"{i}.tif", FIRST + i) for i in range(4)]
    alike = Alike()
    pages = [alike.list_pages(file).pages[0] for file in files]
    assert parsed == ["0.tif"]
    for i, page in enumerate(pages):
        assert (page.path, page.name, page.shape) == (files[i], f"{i}.tif", (5, 6))
        np.testing.assert_array_equal(page.load(), FIRST + i)


@pytest.mark.parametrize(
    "other",
    [
        {"description": "42 eV"},
        {"datetime": "2025:04:14 18:10:56"},
        {"byteorder": ">"},
        {"photometric": "miniswhite"},
        {"compression": "zlib"},
        {"pixels": FIRST.astype(np.int16)},
        {"pixels": FIRST[:, :3]},
        {"pixels": FIRST.reshape(6, 5)},
        {"pixels": np.stack([FIRST, FIRST])},
    ],
    ids=lambda other: "-".join(other),
)
def test_a_file_that_is_written_in_another_way_is_read_as_what_it_is(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    files = [write(tmp_path / "a.tif"), write(tmp_path / "b.tif", **other)]
    alike = Alike()
    for file in [*files, *files]:
        got, wanted = alike.list_pages(file).pages, tiff.list_pages(file).pages
        assert len(got) == len(wanted)
        for page, parsed_page in zip(got, wanted, strict=True):
            assert page.tags == parsed_page.tags
            assert (page.shape, page.dtype) == (parsed_page.shape, parsed_page.dtype)
            np.testing.assert_array_equal(page.load(), parsed_page.load())


@pytest.mark.parametrize("cut", [-1, -20])
def test_a_file_cut_short_is_told(tmp_path: Path, cut: int) -> None:
    alike = Alike()
    alike.list_pages(write(tmp_path / "a.tif"))
    short = write(tmp_path / "b.tif")
    short.write_bytes(short.read_bytes()[:cut])
    assert "cut short" in alike.list_pages(short).problem


def test_what_follows_the_pixels_is_compared_too(tmp_path: Path, parsed: list[str]) -> None:
    alike = Alike()
    alike.list_pages(write(tmp_path / "a.tif"))
    longer = write(tmp_path / "b.tif")
    longer.write_bytes(longer.read_bytes() + b"something")
    alike.list_pages(longer)
    assert parsed == ["a.tif", "b.tif"]
