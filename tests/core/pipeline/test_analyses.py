from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

import trackleed as tl
from trackleed import tables
from trackleed.cli import main
from trackleed.errors import InputError, ParamsError, SessionError

pytestmark = pytest.mark.usefixtures("plugin")

CENTER = (110.0, 90.0)
HK = [(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1)]
ENERGY = [80, 84, 88, 92, 96, 100, 105, 110]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, plugin_path: Path) -> Iterator[Path]:
    """A run up to the fits: a square lattice that contracts with the energy."""
    folder = tmp_path_factory.mktemp("contracting")
    (folder / "frames").mkdir()
    y, x = np.mgrid[0:180, 0:220]
    rng = np.random.default_rng(5)
    for i, energy in enumerate(ENERGY):
        frame = np.full(x.shape, 200.0)
        for h, k in HK:
            g = 48 * np.sqrt(95 / energy)
            frame += 3000 * np.exp(
                -((x - CENTER[0] - g * h) ** 2 + (y - CENTER[1] - g * k) ** 2) / (2 * 2.2**2)
            )
        image = rng.poisson(frame).astype(np.uint16)
        tifffile.imwrite(folder / "frames" / f"Cu_100_{i:04d}_E{energy}eV.tif", image)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(plugin_path))
        run = tl.import_frames(folder / "frames", folder / "a.trackleed", mask="none")
        run.refine(tracks=run.track("nearest", detections=run.detect("bright")))
        yield folder / "a.trackleed"


@pytest.fixture
def run(fitted: Path) -> tl.Run:
    return tl.open_run(fitted)


def track_at(run: tl.Run, h: int, k: int) -> int:
    fits = run.table(run.session.latest("refine"))
    g = 48 * np.sqrt(95 / ENERGY[0])
    first = fits[fits["frame"] == 0]
    off = np.hypot(first["x"] - CENTER[0] - g * h, first["y"] - CENTER[1] - g * k)
    return int(first.loc[off.idxmin(), "track_id"])


def test_the_lattice_of_a_run_is_the_one_that_was_drawn(run: tl.Run) -> None:
    run.analyse()
    steps = run.lattice((track_at(run, 1, 0), track_at(run, 0, 1)))
    indices, lattice = (run.table(step) for step in steps)
    assert indices["ok"].all()
    assert sorted(map(tuple, indices[["h", "k"]].to_numpy().tolist())) == sorted(HK)
    np.testing.assert_allclose(lattice["angle_deg"], 90, atol=0.3)
    np.testing.assert_allclose(lattice["length_a"], 48 * np.sqrt(95 / np.array(ENERGY)), rtol=3e-3)
    # The contraction is no strain.
    assert np.abs(lattice[["strain_a", "strain_b"]]).max(axis=None) < 0.5
    assert "9 of 9 tracks are indexed" in steps[0].message
    assert "corrected for the energy" in steps[1].message
    uncorrected = run.lattice((track_at(run, 1, 0), track_at(run, 0, 1)), contracts="no")[1]
    assert run.table(uncorrected)["strain_a"].max() > 10


def centers_of(run: tl.Run, **options) -> pd.DataFrame:
    return run.table(run.analyse(**options)[0])


def test_the_centre_of_a_run_by_other_ways(fitted: Path, tmp_path: Path) -> None:
    run = tl.open_run(shutil.copytree(fitted, tmp_path / "b.trackleed"))
    per_frame = centers_of(run, center="pairs")
    one = centers_of(run, center="pairs", median=True)
    assert set(one["mode"]) == {"median"}
    assert one["x"].nunique() == 1
    smooth = centers_of(run, center="pairs", smooth=5)
    assert set(smooth["mode"]) == {"pairs"}
    assert smooth["x"].diff().abs().sum() < per_frame["x"].diff().abs().sum()
    drawn = centers_of(run, center="circle", ring="110,90,52.3")
    assert (drawn["n_spots"] == 4).all()
    for table in (one, smooth, drawn, centers_of(run, center="circle", pixel_aspect=1.02)):
        np.testing.assert_allclose(table[["x", "y"]], [CENTER] * len(ENERGY), atol=0.5)
    # Four spots on each ring of a square lattice make no ellipse.
    assert set(centers_of(run, center="ellipse")["mode"]) == {"none"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"smooth": 4}, "smooth 4 is not an odd number of frames"),
        ({"smooth": 5, "median": True}, "either smooth or the median"),
        ({"fill": True}, "fill needs a window"),
        ({"center": "fixed", "x": 1, "y": 2, "median": True}, "fixed centre is the same"),
        ({"ring": "1,2,3"}, "a ring is for center circle or ellipse"),
        ({"center": "circle", "ring": "1,two,3"}, "ring"),
        ({"pixel_aspect": 0}, "pixel_aspect"),
    ],
)
def test_options_of_the_centre_that_do_not_fit_are_refused(run: tl.Run, options, said) -> None:
    with pytest.raises(ParamsError, match=said):
        run.analyse(**options)


def test_radius_against_energy_of_a_run(run: tl.Run) -> None:
    run.analyse()
    energies, residuals = run.radius_energy()
    table = run.table(energies)
    assert abs(table["shared_shift"][0]) < 5 * table["shared_shift_err"][0] + 0.1
    assert len(run.table(residuals)) == 9 * len(ENERGY)
    assert energies.message.startswith("E0 = ")


def test_a_known_lattice_gives_vectors_in_inverse_angstrom(run: tl.Run) -> None:
    basis = (track_at(run, 1, 0), track_at(run, 0, 1))
    *_, scales = run.lattice(basis, lattice_constant=2.556, unit_cell="square")
    table = run.table(scales)
    g = 2 * np.pi / 2.556
    np.testing.assert_allclose(table["a_star"], g, rtol=4e-3)
    np.testing.assert_allclose(table["scale"], 48 * np.sqrt(95 / np.array(ENERGY)) / g, rtol=3e-3)
    np.testing.assert_allclose(table["screen_radius"], 48 / g * 0.5123 * np.sqrt(95), rtol=1e-2)
    assert "1/Å is 21." in scales.message
    hexagonal = run.lattice(basis, lattice_constant=2.556, unit_cell="hexagonal")[-1]
    assert "a* and b* are 90.0° apart, which the known cell does not explain" in hexagonal.message


def test_the_pixels_aspect_goes_from_the_centre_to_radii_and_lattice(run: tl.Run) -> None:
    _, radius, _ = run.analyse(center="pairs", pixel_aspect=1.25)
    assert radius.message == "radii in heights of pixels, x stretched by 1.25"
    table = run.table(radius).query("frame == 0").set_index("track_id")["radius"]
    across, down = track_at(run, 1, 0), track_at(run, 0, 1)
    assert table[across] / table[down] == pytest.approx(1.25, abs=0.01)
    lattice = run.table(run.lattice((across, down))[1])
    np.testing.assert_allclose(lattice["length_a"] / lattice["length_b"], 1.25, rtol=5e-3)
    square = run.table(run.lattice((across, down), pixel_aspect=1.0)[1])
    np.testing.assert_allclose(square["length_a"] / square["length_b"], 1, rtol=5e-3)


def test_quality_of_a_run_uses_the_lattice_when_there_is_one(run: tl.Run) -> None:
    run.lattice((track_at(run, 1, 0), track_at(run, 0, 1)))
    away, tracks, frames = run.quality()
    assert set(run.table(away)["model"]) == {"lattice"}
    static = run.table(tracks).set_index("track_id")["static"]
    assert static[static].index.tolist() == [track_at(run, 0, 0)]
    assert tracks.message.startswith("1 of 9 tracks are uncertain")
    assert len(run.table(frames)) == len(ENERGY)


def test_every_table_keeps_to_its_specification_and_no_step_is_done_twice(run: tl.Run) -> None:
    basis = track_at(run, 1, 0), track_at(run, 0, 1)

    def all_of_it() -> list[str]:
        run.analyse()
        return [s.id for s in [*run.lattice(basis), *run.radius_energy(), *run.quality()]]

    first = all_of_it()
    assert all_of_it() == first
    for step in run.session.steps:
        assert step.spec is not None
        tables.check(run.table(step), tables.SPECS[step.spec])


def test_what_cannot_be_used_is_refused(run: tl.Run) -> None:
    with pytest.raises(InputError, match="make no basis"):
        run.lattice((track_at(run, 1, 0), track_at(run, -1, 0)))
    with pytest.raises(ParamsError, match="tolerance"):
        run.lattice((1, 2), tolerance=2)
    with pytest.raises(ParamsError, match="no option 'wood'"):
        run.lattice((1, 2), wood="p(2x2)")


def test_what_was_asked_for_last_counts_even_if_it_was_done_before(
    fitted: Path, tmp_path: Path
) -> None:
    run = tl.open_run(shutil.copytree(fitted, tmp_path / "a.trackleed"))
    for x in (109.0, 111.0, 109.0):
        run.analyse(center="fixed", x=x, y=90)
        (centres,) = (p for p in run.export("csv") if p.name == "pattern_center_data.csv")
        assert (pd.read_csv(centres)["x"] == x).all()
    n_steps = len(run.session.steps)
    run.analyse(center="fixed", x=109.0, y=90)
    run.export("csv")
    assert len(run.session.steps) == n_steps


def test_the_step_of_the_centre_says_where_it_is_and_where_the_energies_put_it(
    fitted: Path, tmp_path: Path
) -> None:
    run = tl.open_run(shutil.copytree(fitted, tmp_path / "a.trackleed"))
    said = run.analyse(center="pairs")[0].message
    assert "found in 8 of 8 frames (pairs 8), about (110" in said
    assert "the energies put the (0,0) beam at (110" in said
    assert "another centre" not in said
    ring = (CENTER[0] + 24, CENTER[1] + 24, 34 * np.sqrt(95 / ENERGY[0]))
    beside = run.analyse(center="circle", ring=ring)[0].message
    assert "this is another centre: look at the pictures" in beside
    assert run.analyse(center="fixed", x=1.0, y=2.0)[0].message == ""


def test_radii_must_be_there_before_they_are_fitted(spot_folder: Path, tmp_path: Path) -> None:
    run = tl.import_frames(spot_folder, tmp_path / "a.trackleed", mask="none")
    run.refine(tracks=run.track("nearest", detections=run.detect("bright")))
    with pytest.raises(SessionError, match="has no radii yet"):
        run.radius_energy()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lattice", "--basis", "{a},{b}", "--wood", "p(1x1)"), "9 of 9 tracks are indexed"),
        (("lattice", "--basis", "{a},{b}", "--matrix", "1,0,0,1"), "lattice in 8 of 8 frames"),
        (("radius-energy",), "r^2 (E + E0)"),
        (("quality",), "tracks are uncertain"),
    ],
)
def test_the_command_line_says_what_was_found(
    run: tl.Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments,
    said,
) -> None:
    run.analyse()
    verb, *rest = arguments
    named = {"a": track_at(run, 1, 0), "b": track_at(run, 0, 1)}
    words = [word.format(**named) for word in rest]
    monkeypatch.setattr("sys.argv", ["trackleed", verb, str(run.session.path), *words])
    main()
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--basis", "3"), "--basis '3' is not two tracks, such as 3,5"),
        (("--basis", "1,2", "--matrix", "1,2"), "--matrix '1,2' is not four whole numbers"),
        (("--basis", "1,2", "--wood", "q"), "Wood's notation"),
        (("--basis", "1,2", "--lattice-constant", "2.7"), "are given together"),
        (("--basis", "1,2", "--lattice-constant", "2.7,1", "--unit-cell", "square"), "has one"),
        (("--basis", "1,2", "--lattice-constant", "-1", "--unit-cell", "90"), "above 0"),
        (("--basis", "1,2", "--lattice-constant", "1", "--unit-cell", "cubic"), "unit_cell"),
        (("--basis", "1,2", "--lattice-constant", "x"), "neither a length in Å nor two"),
    ],
)
def test_what_the_command_line_cannot_use_is_one_line(
    run: tl.Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words, said
) -> None:
    monkeypatch.setattr("sys.argv", ["trackleed", "lattice", str(run.session.path), *words])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert said in capsys.readouterr().err
