"""Which reader the registry chooses for a path."""

from __future__ import annotations

from pathlib import Path

import pytest

from trackleed.backend import BackendSpec
from trackleed.builtin.readers import specs
from trackleed.errors import BackendNotFound, InputError
from trackleed.registry import Backend, Registry


@pytest.fixture
def registry() -> Registry:
    return Registry([Backend("reader", spec, "trackleed-core", "0") for spec in specs()])


def with_reader(registry: Registry, *patterns: str) -> Registry:
    spec = BackendSpec(name="mine", summary="s", factory="m:M", patterns=patterns)
    return Registry([*registry.backends, Backend("reader", spec, "plug", "0")])


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("a.PNG", "images"),
        ("a.tif", "tiff"),
        ("a.Tiff", "tiff"),
        ("a.gif", "gif"),
        ("a.bmp", "images"),
    ],
)
def test_the_ending_decides_in_any_case(
    registry: Registry, tmp_path: Path, name: str, reader: str
) -> None:
    (tmp_path / name).touch()
    assert registry.reader_for(tmp_path / name).spec.name == reader


def test_a_folder_and_a_glob_go_to_the_reader_of_folders(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path, Path(), tmp_path / "*.tif", tmp_path / "f_00[0-4].png"):
        assert registry.reader_for(path).spec.name == "images"


def test_a_folder_with_brackets_in_its_name_is_a_folder(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "run[1].tif").touch()
    assert registry.reader_for(tmp_path / "run[1].tif").spec.name == "tiff"


def test_what_does_not_exist_is_said_with_what_is_like_it(
    registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "frames").mkdir()
    with pytest.raises(InputError, match=r"frame does not exist") as caught:
        registry.reader_for(tmp_path / "frame")
    assert f"did you mean {tmp_path / 'frames'}" in str(caught.value)
    with pytest.raises(InputError, match="nor does the folder"):
        registry.reader_for(tmp_path / "no" / "such.tif")


def test_an_ending_that_nobody_reads_is_said_with_those_that_are_read(
    registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "a.dat").touch()
    with pytest.raises(InputError, match=r"no reader for .*a\.dat; .*\*\.bmp, \*\.gif"):
        registry.reader_for(tmp_path / "a.dat")


def test_the_longer_pattern_wins_and_equal_ones_are_an_error(
    registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "a.ome.tif").touch()
    (tmp_path / "b.zarr").mkdir()
    more = with_reader(registry, "*.OME.tif", "*.zarr/")
    assert more.reader_for(tmp_path / "a.ome.tif").spec.name == "mine"
    assert more.reader_for(tmp_path / "b.zarr").spec.name == "mine"
    with pytest.raises(BackendNotFound, match="2 readers open") as caught:
        with_reader(registry, "*.tif").reader_for(tmp_path / "a.ome.tif")
    assert "plug:mine" in (caught.value.hint or "")
