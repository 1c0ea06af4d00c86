from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import trackleed as tl
from trackleed import tables
from trackleed.analysis.centers import expansion_center, pattern_centers
from trackleed.analysis.energy import radius_energy
from trackleed.analysis.lattice import fit_lattice, index_spots
from trackleed.analysis.radii import radii
from trackleed.registry import Registry

# Ir(111) at 187, 168, 102, 220 and 304 eV: where its spots are to the pixel, by eye.
SPOTS = {
    1: [(201, 320), (193, 319), (158, 317), (209, 322), (226, 322)],
    2: [(377, 440), (379, 447), (389, 471), (373, 434), (366, 419)],
    3: [(266, 207), (263, 201), (244, 167), (271, 218), None],
    4: [(257, 434), (253, 439), (235, 462), (262, 427), (270, 413)],
    5: [(445, 334), (450, 335), (480, 336), (436, 335), (420, 334)],
    6: [(323, 332), (323, 332), (320, 335), (323, 332), (323, 331)],
    7: [(392, 215), (395, 209), (411, 178), (387, 225), (378, 240)],
}
SPECULAR, BASIS = 6, (5, 2)


@pytest.fixture(scope="module")
def iridium(
    real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fits and index of the five frames."""
    source = real_data / "ir111_lab" / "LEED_2025_04_14_00[0-4].tiff"
    run = tl.import_frames(source, tmp_path_factory.mktemp("ir") / "ir.trackleed", mask="none")
    index = run.table("import-1")
    rows = [
        (frame, track, *place, 31, 31, 1, "measured")
        for track, places in SPOTS.items()
        for frame, place in enumerate(places)
        if place is not None
    ]
    tracks = pd.DataFrame(rows, columns=tables.TRACKS.names)
    frames = run.session.store.frames(tables.columns(index))
    refiner = Registry.discover().find("refiner", "gaussian").make()
    fits = refiner.refine(
        frames, tables.columns(tables.build(tables.TRACKS, tracks.astype({"x": float})))
    )
    return tables.build(tables.FITS, fits), index


@pytest.mark.real_data
def test_the_pattern_contracts_to_the_spot_that_stands_still(iridium) -> None:
    fits, index = iridium
    still = fits[fits["track_id"] == SPECULAR][["x", "y"]].mean()
    found = expansion_center(fits, index)
    assert found.known, found.reason
    # The screen is distorted: the lines that the spots move on do not meet in one point.
    assert np.hypot(found.x - still["x"], found.y - still["y"]) < 12
    centers = pattern_centers(fits, 5, index=index)
    assert np.hypot(centers["x"] - still["x"], centers["y"] - still["y"]).max() < 12


@pytest.mark.real_data
def test_radius_squared_times_energy_is_constant_to_a_few_percent(iridium) -> None:
    fits, index = iridium
    still = fits[fits["track_id"] == SPECULAR][["x", "y"]].mean()
    centers = pattern_centers(fits, 5, mode="fixed", fixed=(still["x"], still["y"]))
    found = radius_energy(radii(fits, centers), index).set_index("track_id").drop(SPECULAR)
    assert found["scatter"].max() < 0.05
    assert found["scatter"].median() < 0.03
    assert 0 < found["shared_shift"].iloc[0] < 40


@pytest.mark.real_data
def test_the_lattice_is_hexagonal_once_the_pixels_are_square(iridium) -> None:
    fits, index = iridium
    indices = index_spots(fits, BASIS, specular=SPECULAR, index=index, pixel_aspect=1.11)
    assert indices["ok"].all()
    lattice = fit_lattice(fits, indices, index=index, energy_shift=(18, 5), pixel_aspect=1.11)
    assert lattice["angle_deg"].median() == pytest.approx(60, abs=1)
    ratio = (lattice["length_a"] / lattice["length_b"]).median()
    assert ratio == pytest.approx(1, abs=0.05)
    assert np.abs(lattice[["strain_a", "strain_b"]]).max(axis=None) < 4


@pytest.mark.real_data
def test_the_ring_is_an_ellipse_with_x_too_narrow(iridium) -> None:
    fits, _ = iridium
    circle, ellipse = (pattern_centers(fits, 5, mode=mode) for mode in ("circle", "ellipse"))
    assert (circle["rms"] > 2).all()
    assert (ellipse["rms"] < 0.5).all()
    assert ellipse["n_spots"].tolist() == [6, 6, 6, 6, 5]
    # Over the energies the middle of the ring moves with the (0,0) spot, if not on it.
    still = fits[fits["track_id"] == SPECULAR]
    assert np.std(still["x"].to_numpy() - ellipse["x"].to_numpy()) < 0.5
