"""The built-in backends pass every check; planted faults of the other kinds are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from tests.core.testing.conftest import subject_of
from trackleed.builtin.refiners.gaussian import Gaussian
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.errors import BackendNotFound, InputError
from trackleed.testing import Subject, checks_for, run, subject
from trackleed.testing.detectors import CHECKS as DETECTOR_CHECKS
from trackleed.testing.running import chosen


def outcome(tested: Subject, name: str) -> str:
    (result,) = run(tested, chosen(tested, [name]))
    return f"{result.outcome} {result.reason}".strip()


BUILT_IN = ["gaussian", "exporter:csv", "parquet", "overlays", "plots", "iv", "yolo"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_backends_pass_every_check(name: str) -> None:
    found = {r.check.name: f"{r.outcome} {r.reason}".strip() for r in run(subject(name))}
    assert set(found.values()) == {"passed"}, found


@pytest.mark.parametrize("name", ["images", "tiff", "gif"])
def test_a_reader_is_checked_on_a_sample(name: str, tmp_path: Path) -> None:
    stack = np.arange(3, dtype=np.uint8)[:, None, None] + np.zeros((4, 6), np.uint8)
    for i, image in enumerate(stack):
        tifffile.imwrite(tmp_path / f"{i}.tif", image)
    tifffile.imwrite(tmp_path / "stack.tiff", stack, photometric="minisblack")
    first, *others = map(Image.fromarray, stack)
    first.save(tmp_path / "stack.gif", save_all=True, append_images=others)
    samples = {"images": tmp_path / "*.tif", "tiff": "stack.tiff", "gif": "stack.gif"}
    found = {r.check.name: r.outcome for r in run(subject(name, sample=tmp_path / samples[name]))}
    assert set(found.values()) == {"passed"}


def test_a_reader_without_a_sample_is_asked_less() -> None:
    without = {r.check.name: r.outcome for r in run(subject("images"))}
    assert without["frames-alike"] == "not asked"


class Peaks:
    """A detector: the centre of mass of everything far over the median."""

    def __init__(self, params: Any) -> None:
        self.seen = 0

    def detect(self, frame: Any, valid: Any) -> dict[str, Any]:
        frame = np.where(valid, frame, np.nan).astype(float)
        light = np.nan_to_num(frame - 2.0 * np.nanmedian(frame)).clip(0)
        labels, n = ndimage.label(light)
        return self.rows(np.array(ndimage.center_of_mass(light, labels, range(1, n + 1))))

    def rows(self, places: Any) -> dict[str, Any]:
        y, x = places.reshape(-1, 2).T
        size = np.full(len(x), 20.0)
        return {"x": x, "y": y, "width": size, "height": size, "score": size}


class PeaksSwapped(Peaks):
    def rows(self, places: Any) -> dict[str, Any]:
        return super().rows(places.reshape(-1, 2)[:, ::-1])


class PeaksFromCorner(Peaks):
    def rows(self, places: Any) -> dict[str, Any]:
        return super().rows(places + 0.5)


class PeaksEverywhere(Peaks):
    def detect(self, frame: Any, valid: Any) -> dict[str, Any]:
        return super().detect(frame, np.ones_like(valid))


class PeaksWithoutScore(Peaks):
    def rows(self, places: Any) -> dict[str, Any]:
        rows = super().rows(places)
        del rows["score"]
        return rows


class PeaksInNoise(Peaks):
    def rows(self, places: Any) -> dict[str, Any]:
        return super().rows(np.vstack([places.reshape(-1, 2), [[10.0, 10.0]]]))


class PeaksOf16Bit(Peaks):
    def detect(self, frame: Any, valid: Any) -> dict[str, Any]:
        return super().detect(frame if frame.dtype == np.uint16 else frame * 0, valid)


class PeaksMindNaN(Peaks):
    def detect(self, frame: Any, valid: Any) -> dict[str, Any]:
        return super().detect(frame * (0 if np.isnan(np.sum(frame)) else 1), valid)


class PeaksUnmask(Peaks):
    def detect(self, frame: Any, valid: Any) -> dict[str, Any]:
        found = super().detect(frame, valid)
        valid[:] = False
        return found


class PeaksRemember(Peaks):
    def rows(self, places: Any) -> dict[str, Any]:
        self.seen += 1
        return super().rows(places + 0.001 * self.seen)


DETECTORS = {
    "right-columns": PeaksWithoutScore,
    "finds-spots": PeaksSwapped,
    "half-pixel": PeaksFromCorner,
    "empty-frame": PeaksInNoise,
    "mask-respected": PeaksEverywhere,
    "pixel-types": PeaksOf16Bit,
    "unknown-pixels": PeaksMindNaN,
    "inputs-unmodified": PeaksUnmask,
    "repeatable": PeaksRemember,
}


def test_a_plain_detector_passes_every_check() -> None:
    found = {r.check.name: r.reason for r in run(subject_of("detector", Peaks), DETECTOR_CHECKS)}
    assert not any(found.values()), found


@pytest.mark.parametrize(("name", "detector"), DETECTORS.items())
def test_a_check_of_detectors_finds_its_fault(name: str, detector: type[Peaks]) -> None:
    assert outcome(subject_of("detector", detector), name).startswith("failed")


def test_swapped_axes_of_a_detector_are_named() -> None:
    assert "x and y are swapped" in outcome(subject_of("detector", PeaksSwapped), "finds-spots")


class Fits:
    """A refiner that spoils what the built-in one gives."""

    def __init__(self, params: Any) -> None:
        self.honest = Gaussian(GaussianParams())

    def refine(self, frames: Any, rois: Any) -> Any:
        return self.spoil(pd.DataFrame(dict(self.honest.refine(frames, rois))))

    def spoil(self, fits: Any) -> Any:
        return fits


class FitsSorted(Fits):
    def spoil(self, fits: Any) -> Any:
        return fits.sort_values(["frame", "track_id"], ignore_index=True)


class FitsFromCorner(Fits):
    def spoil(self, fits: Any) -> Any:
        return fits.assign(x=fits["x"] + 0.5)


class FitsBoast(Fits):
    def spoil(self, fits: Any) -> Any:
        return fits.assign(x_err=fits["x_err"] / 3)


class FitsInvent(Fits):
    def spoil(self, fits: Any) -> Any:
        return fits.assign(status="ok", x=fits["x"].fillna(1.0))


class FitsMoveRois(Fits):
    def refine(self, frames: Any, rois: Any) -> Any:
        rois["x"] += 0.1
        return super().refine(frames, rois)


class FitsTogether(Fits):
    def spoil(self, fits: Any) -> Any:
        return fits.assign(x=fits["x"] + 1e-3 * len(fits))


class FitsOf16Bit(Fits):
    def refine(self, frames: Any, rois: Any) -> Any:
        fits = super().refine(frames, rois)
        return pd.DataFrame(dict(fits)).assign(x=0.0) if frames.dtype != np.uint16 else fits


REFINERS = {
    "right-columns": FitsSorted,
    "half-pixel": FitsFromCorner,
    "error-bars": FitsBoast,
    "lost-stays-lost": FitsInvent,
    "no-invention": FitsInvent,
    "pixel-types": FitsOf16Bit,
    "inputs-unmodified": FitsMoveRois,
    "repeatable": FitsTogether,
}


@pytest.mark.parametrize(("name", "refiner"), REFINERS.items())
def test_a_check_of_refiners_finds_its_fault(name: str, refiner: type[Fits]) -> None:
    assert outcome(subject_of("refiner", refiner), name).startswith("failed")


class Lists:
    """An exporter: the numbers of the tracks."""

    def __init__(self, params: Any) -> None:
        self.count = 0

    def export(self, view: Any, folder: Path) -> Iterator[Path]:
        path = folder / "tracks.txt"
        path.write_text(str(view.table("tracks")["track_id"].unique()))
        yield path


class ListsElsewhere(Lists):
    def export(self, view: Any, folder: Path) -> Iterator[Path]:
        (folder.parent / "also.txt").write_text("")
        yield from super().export(view, folder)


class ListsNothing(Lists):
    def export(self, view: Any, folder: Path) -> Iterator[Path]:
        yield folder / "tracks.txt"


class ListsNewNames(Lists):
    def export(self, view: Any, folder: Path) -> Iterator[Path]:
        path = folder / f"{len(list(folder.iterdir()))}.txt"
        path.write_text("")
        yield path


class ListsFits(Lists):
    def export(self, view: Any, folder: Path) -> Iterator[Path]:
        view.table("fits")
        yield from super().export(view, folder)


@pytest.mark.parametrize(
    ("name", "exporter"),
    [
        ("files-inside", ListsElsewhere),
        ("files-inside", ListsNothing),
        ("again", ListsNewNames),
        ("little-known", ListsFits),
    ],
)
def test_a_check_of_exporters_finds_its_fault(name: str, exporter: type[Lists]) -> None:
    assert outcome(subject_of("exporter", Lists), name) == "passed"
    assert outcome(subject_of("exporter", exporter), name).startswith("failed")


class Opens:
    """A reader that spoils what it opens."""

    def __init__(self, params: Any) -> None:
        pass

    def open(self, path: Path) -> Any:
        return self

    shape, dtype, index = (4, 6), np.dtype(np.uint16), pd.DataFrame({"frame": [1, 0]})
    reads = 0

    def __len__(self) -> int:
        return 2

    def read(self, i: int) -> Any:
        self.reads += 1
        return np.full((6, 4), self.reads, np.uint16)


@pytest.mark.parametrize(
    "name", ["says-patterns", "index-complete", "frames-alike", "repeatable", "clear-errors"]
)
def test_a_check_of_readers_finds_its_fault(name: str, tmp_path: Path) -> None:
    made = subject_of("reader", Opens)
    tested = Subject(made.backend, sample=tmp_path)
    assert outcome(tested, name).startswith("failed")


@pytest.mark.parametrize(
    ("spec", "name", "reason"),
    [
        ({"summary": " "}, "complete-spec", "summary is empty"),
        ({"requires": ("numpy",)}, "complete-spec", "no install command"),
        ({"needs": ("boxes",)}, "complete-spec", "boxes"),
        ({"licence": ""}, "complete-spec", "licence is empty"),
    ],
)
def test_an_incomplete_description_is_told(spec: dict[str, Any], name: str, reason: str) -> None:
    assert reason in outcome(subject_of("detector", Peaks, **spec), name)


def test_names_that_are_not_there_are_told_with_those_that_are() -> None:
    with pytest.raises(BackendNotFound, match=r"no backend is called 'gausian'; installed: .*iv"):
        subject("gausian")
    with pytest.raises(InputError, match="no check of a refiner is called 'axis'; there are light"):
        chosen(subject("gaussian"), ["axis"])


def test_every_kind_of_backend_has_checks_of_its_own() -> None:
    kinds = ("reader", "detector", "tracker", "refiner", "exporter")
    assert all(len(checks_for(kind)) > 6 for kind in kinds)
