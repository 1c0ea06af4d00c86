from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trackleed import params
from trackleed.builtin.exporters._curves import beam_label
from trackleed.builtin.exporters.iv import IvExporter
from trackleed.builtin.exporters.params import IvParams
from trackleed.errors import InputError, ParamsError


def export(view, folder: Path, **options) -> dict[str, Path]:
    exporter = IvExporter(params.make(IvParams, options, "iv"))
    return {path.name: path for path in exporter.export(view, folder)}


@pytest.fixture
def measured(view):
    """Four tracks in ten frames from 50 to 59 eV: intensity 1000 * track + frame, error 3."""
    view.index["energy_eV"] = 59.0 - np.arange(10)  # downwards
    for table, name in (("intensities", "intensity"), ("fits", "volume")):
        rows = view.known[table]
        known = rows[name].notna()
        rows[name] = (1000.0 * rows["track_id"] + rows["frame"]).where(known)
        rows[f"{name}_err"] = rows[name].where(~known, 3.0)
    view.known["fits"]["volume"] *= 0.9
    return view


def index_beams(view, beams: dict[int, tuple[float, float]]) -> None:
    """As if these tracks had been indexed, and no others."""
    tracks = sorted({1, 2, 3, 4} | beams.keys())
    hk = np.array([beams.get(t, (np.nan, np.nan)) for t in tracks])
    view.known["track_index"] = pd.DataFrame(
        {"track_id": tracks, "h": hk[:, 0], "k": hk[:, 1], "ok": np.isfinite(hk[:, 0])}
    )


def test_the_files_that_are_promised(measured, tmp_path) -> None:
    written = export(measured, tmp_path)
    assert sorted(written) == [
        "EXPBEAMS_by_track.csv",
        "curves.csv",
        "intensity_against_energy.csv",
        "intensity_per_spot.csv",
        "notes.txt",
        "volume_against_energy.csv",
    ]
    assert sorted((tmp_path / "iv").iterdir()) == sorted(written.values())


def test_curves_stand_side_by_side_in_the_order_of_the_energy(measured, tmp_path) -> None:
    table = pd.read_csv(export(measured, tmp_path)["intensity_against_energy.csv"])
    assert table.columns.tolist() == [
        *("energy_eV", "frame"),
        *(f"track {t}{end}" for t in (1, 2, 3, 4) for end in ("", " error")),
    ]
    assert table["energy_eV"].tolist() == list(range(50, 60))
    assert table["track 2"].tolist() == [2000 + frame for frame in range(9, -1, -1)]
    assert table["track 2 error"].tolist() == [3] * 10
    assert table["track 4"].isna().tolist() == [f in (3, 4, 5) for f in range(9, -1, -1)]


def test_sixty_curves_are_no_burden(measured, tmp_path) -> None:
    for name in ("tracks", "fits", "intensities"):
        rows = measured.known[name]
        rows = rows[rows["track_id"] == 1]
        measured.known[name] = pd.concat(
            [rows.assign(track_id=t) for t in range(1, 61)], ignore_index=True
        ).sort_values(["frame", "track_id"], ignore_index=True)
    del measured.known["radii"]
    table = pd.read_csv(export(measured, tmp_path)["intensity_against_energy.csv"])
    assert table.shape == (10, 2 + 2 * 60)


def test_the_volume_of_the_fit_stands_beside_the_aperture(measured, tmp_path) -> None:
    written = export(measured, tmp_path)
    volume = pd.read_csv(written["volume_against_energy.csv"])
    assert volume["track 1"][0] == pytest.approx(0.9 * 1009)
    spots = pd.read_csv(written["intensity_per_spot.csv"])
    assert len(spots) == 40
    assert spots["volume"].tolist()[:3] == pytest.approx([900, 900.9, 901.8])
    assert spots["energy_eV"].tolist()[:3] == [59, 58, 57]


def test_clipped_spots_and_bad_fits_have_no_volume(measured, tmp_path) -> None:
    measured.known["fits"].loc[:1, "status"] = ["saturated", "left_roi"]
    spots = pd.read_csv(export(measured, tmp_path)["intensity_per_spot.csv"])
    first = spots[spots["frame"] == 0].set_index("track_id")["volume"]
    assert first.isna().tolist() == [True, True, False, False]


def test_the_notes_tell_apertures_that_the_mask_cuts(measured, tmp_path) -> None:
    rows = measured.known["intensities"]
    rows.loc[:, "background"] = 5.0
    rows.loc[rows["frame"] == 3, "intensity"] = np.nan
    notes = export(measured, tmp_path)["notes.txt"].read_text("utf-8")
    n_cut = int(rows["intensity"].isna().sum())
    assert f"{n_cut} have masked or clipped pixels in their aperture" in notes


def test_a_group_is_the_mean_of_its_tracks(measured, tmp_path) -> None:
    written = export(measured, tmp_path, groups=[[1, 3], [2, 4]])
    table = pd.read_csv(written["intensity_against_energy.csv"]).set_index("frame")
    assert table.columns.tolist()[1::2] == ["tracks 1+3", "tracks 2+4"]
    assert table.loc[6, "tracks 1+3"] == 2006
    assert table.loc[6, "tracks 1+3 error"] == pytest.approx(3 / np.sqrt(2))
    assert table.loc[4, ["tracks 2+4", "tracks 2+4 error"]].tolist() == [2004, 3]
    curves = pd.read_csv(written["curves.csv"])
    known = curves[curves["curve"] == "tracks 2+4"].set_index("frame")["n_tracks"]
    assert known.tolist() == [2, 2, 2, 1, 1, 1, 2, 2, 2, 2]
    assert "tracks 2+4: 2, 4" in written["notes.txt"].read_text("utf-8")


def test_groups_can_be_given_as_text(measured, tmp_path) -> None:
    written = export(measured, tmp_path, groups="[[1, 2]]")
    assert "tracks 1+2" in written["curves.csv"].read_text("utf-8")


@pytest.mark.parametrize("groups", ["1,2;3", [[]], "[[1.5]]", "[1]"])
def test_what_is_no_list_of_groups_is_refused(view, tmp_path, groups) -> None:
    with pytest.raises(ParamsError, match="groups"):
        export(view, tmp_path, groups=groups)


def test_an_unknown_track_in_a_group_is_named(measured, tmp_path) -> None:
    with pytest.raises(InputError, match="no track 9; there are 1 to 4"):
        export(measured, tmp_path, groups=[[1, 9]])


def test_curves_are_divided_by_what_is_known_and_say_so(measured, tmp_path) -> None:
    measured.index["exposure_s"] = 0.5
    written = export(measured, tmp_path)
    table = pd.read_csv(written["intensity_against_energy.csv"]).set_index("frame")
    assert table.loc[0, "track 3"] == 6000
    notes = written["notes.txt"].read_text("utf-8")
    assert "Divided by exposure_s: in counts/s." in notes
    assert "beam_current_A is known in 0 of 10 frames" in notes
    spots = pd.read_csv(written["intensity_per_spot.csv"])
    assert set(spots["normalised_by"]) == {"exposure_s"}
    assert spots["intensity"][0] == 1000
    assert spots["intensity_norm"][0] == 2000


def test_in_counts_the_notes_say_that_too(measured, tmp_path) -> None:
    notes = export(measured, tmp_path)["notes.txt"].read_text("utf-8")
    assert "In counts: not divided by exposure or beam current." in notes


def test_every_quantity_that_varies_has_its_curves(measured, tmp_path) -> None:
    measured.index["temperature_K"] = 300.0 - 5 * np.arange(10)
    measured.index["coverage_ML"] = 0.25
    names = export(measured, tmp_path).keys()
    assert "intensity_against_temperature.csv" in names
    assert "volume_against_energy.csv" in names
    assert not any("coverage" in name or "frame" in name for name in names)


def test_if_nothing_varies_the_frames_are_the_axis(measured, tmp_path) -> None:
    measured.index["energy_eV"] = 95.5
    written = export(measured, tmp_path)
    assert "EXPBEAMS_by_track.csv" not in written
    table = pd.read_csv(written["intensity_against_frame.csv"])
    assert table.columns[:2].tolist() == ["frame", "track 1"]
    assert table["track 1"].tolist() == [1000 + frame for frame in range(10)]


def read_expbeams(path: Path) -> tuple[list[tuple[str, str]], np.ndarray]:
    """As ViPErLEED's documentation describes the file: labels (h|k), then energy and values."""
    lines = path.read_text("ascii").splitlines()
    labels = []
    for cell in lines[0].split(",")[1:]:
        match = re.fullmatch(r"\s*\(\s*([-\d/]+)\s*\|\s*([-\d/]+)\s*\)\s*", cell)
        assert match is not None, cell
        labels.append((match[1], match[2]))
    return labels, np.array([[float(cell) for cell in line.split(",")] for line in lines[1:]])


def test_indexed_beams_make_a_file_for_viperleed(measured, tmp_path) -> None:
    index_beams(measured, {1: (1, 0), 2: (0.5, -1.0), 4: (-2 / 3, 1 / 3)})
    labels, numbers = read_expbeams(export(measured, tmp_path)["EXPBEAMS.csv"])
    assert labels == [("1", "0"), ("1/2", "-1"), ("-2/3", "1/3")]
    assert numbers.shape == (10, 4)
    assert numbers[:, 0].tolist() == list(range(50, 60))
    assert numbers[:, 1].tolist() == [1000 + frame for frame in range(9, -1, -1)]
    assert np.isnan(numbers[:, 3]).tolist() == [f in (3, 4, 5) for f in range(9, -1, -1)]


def test_pieces_of_one_beam_and_frames_of_one_energy_become_one_curve(measured, tmp_path) -> None:
    index_beams(measured, {1: (1, 0), 2: (1, 0)})
    rows = measured.known["intensities"]
    rows.loc[(rows["track_id"] == 1) & (rows["frame"] > 4), "intensity"] = np.nan
    rows.loc[(rows["track_id"] == 2) & (rows["frame"] < 5), "intensity"] = np.nan
    measured.index["energy_eV"] = [50.0, 51, 52, 53, 54, 55, 56, 57, 58, 58]
    written = export(measured, tmp_path)
    labels, numbers = read_expbeams(written["EXPBEAMS.csv"])
    assert labels == [("1", "0")]
    expected = [1000, 1001, 1002, 1003, 1004, 2005, 2006, 2007, 2008.5]
    assert numbers[:, 1].tolist() == expected
    curves = pd.read_csv(written["curves.csv"])
    assert set(curves["curve"]) == {"(1|0)", "track 3", "track 4"}


def test_beam_labels() -> None:
    assert beam_label(1.0, -0.0) == "(1|0)"
    assert beam_label(-1 / 3, 4 / 3) == "(-1/3|4/3)"


def test_without_intensities_it_says_what_to_do(view, tmp_path) -> None:
    del view.known["intensities"]
    with pytest.raises(InputError, match="no intensities — run: trackleed analyse"):
        export(view, tmp_path)
    assert list(tmp_path.iterdir()) == []
