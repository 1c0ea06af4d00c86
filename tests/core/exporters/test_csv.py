from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from trackleed import tables
from trackleed.builtin.exporters.csv_files import CsvExporter
from trackleed.builtin.exporters.palette import track_colour
from trackleed.builtin.exporters.parquet_file import ParquetExporter
from trackleed.errors import InputError
from trackleed.params import Params

INDEX = tables.INDEX.names[1:]
FULL = [
    *("track_id", "frame"),
    *INDEX,
    "state",
    *[name for name in tables.FITS.names if name not in ("frame", "track_id")],
    *("radius", "radius_err", "intensity", "intensity_err", "background"),
]


def export(view, folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in CsvExporter(Params()).export(view, folder)}


def test_the_four_files_are_written_and_nothing_else(view, tmp_path) -> None:
    written = export(view, tmp_path / "new")
    assert sorted(written) == [
        "average_radius_per_frame",
        "full_analysis_per_spot",
        "pattern_center_data",
        "track_legend",
    ]
    assert sorted((tmp_path / "new").iterdir()) == sorted(written.values())


def test_columns_are_those_promised(view, tmp_path) -> None:
    written = export(view, tmp_path)
    headers = {name: path.read_text("utf-8").splitlines()[0] for name, path in written.items()}
    assert headers == {
        "full_analysis_per_spot": ",".join(FULL),
        "pattern_center_data": ",".join(["frame", *INDEX, *tables.CENTERS.names[1:]]),
        "average_radius_per_frame": ",".join(
            ["frame", *INDEX, "radius_mean", "radius_sem", "n_tracks"]
        ),
        "track_legend": "track_id,first_frame,last_frame,x_start,y_start,n_measured,colour",
    }


def test_every_track_has_a_row_in_every_frame_and_reads_back_the_same(view, tmp_path) -> None:
    full = pd.read_csv(export(view, tmp_path)["full_analysis_per_spot"])
    assert len(full) == 10 * 4
    fits = view.table("fits")
    for name in [*tables.FITS.names]:
        expected = fits[name]
        if expected.dtype.kind == "f":
            np.testing.assert_array_equal(full[name], expected)
        else:
            assert full[name].tolist() == expected.tolist()
    np.testing.assert_array_equal(full["radius"], view.table("radii")["radius"])
    np.testing.assert_array_equal(full["background"], view.table("intensities")["background"])
    assert full["energy_eV"].tolist() == view.index["energy_eV"].repeat(4).tolist()
    assert full["source"][0] == "Ir, (111) 0.tif"


def test_what_is_not_known_is_empty(view, tmp_path) -> None:
    lines = export(view, tmp_path)["full_analysis_per_spot"].read_text("utf-8").splitlines()
    lost = next(line for line in lines if '"lost"' in line)
    assert lost.startswith('4,3,"Ir, (111) 3.tif",,,50.3,,,,"lost","lost",,,')
    assert lost.endswith(",,,false,,,,,")
    assert "nan" not in "".join(lines).lower()


def filled(spec: tables.TableSpec, **known: object) -> pd.DataFrame:
    """A table in which a column is as long as those that are known."""
    n = len(next(iter(known.values())))  # type: ignore[call-overload]
    rows = {c.name: np.full(n, "" if c.dtype == "str" else 1.5) for c in spec.columns}
    rows |= {c.name: np.ones(n, int) for c in spec.columns if c.dtype == "int"}
    rows |= {c.name: np.ones(n, bool) for c in spec.columns if c.dtype == "bool"}
    return tables.build(spec, rows | known)


def test_each_further_analysis_has_its_file_with_the_index_beside_frames(view, tmp_path) -> None:
    spots = {name: view.known["fits"][name].to_numpy() for name in ("frame", "track_id")}
    for spec in (tables.TRACK_INDEX, tables.RADIUS_ENERGY, tables.TRACK_QUALITY):
        view.known[spec.name] = filled(spec, track_id=np.arange(1, 5))
    for spec in (tables.LATTICE, tables.SCALES, tables.FRAME_QUALITY):
        view.known[spec.name] = filled(spec, frame=np.arange(10))
    for spec in (tables.RADIUS_RESIDUALS, tables.DEVIATIONS):
        view.known[spec.name] = filled(spec, **spots)
    view.known["track_quality"].loc[1:2, "reason"] = ["weak, and odd", "jumps"]
    written = {name: pd.read_csv(path) for name, path in export(view, tmp_path).items()}
    for name in ("track_index", "radius_energy", "track_quality"):
        assert list(written[name]) == tables.SPECS[name].names
        assert len(written[name]) == 4
    for name in ("lattice", "scales", "frame_quality"):
        assert list(written[name]) == ["frame", *INDEX, *tables.SPECS[name].names[1:]]
        assert written[name]["energy_eV"].tolist() == view.index["energy_eV"].tolist()
    for name in ("radius_residuals", "deviations"):
        key = ["frame", "track_id"]
        assert list(written[name]) == [*key, *INDEX, *tables.SPECS[name].names[2:]]
        assert len(written[name]) == 40
    assert written["uncertain_tracks"].to_numpy().tolist() == [[2, "weak, and odd"], [3, "jumps"]]


def test_intensities_are_divided_by_what_is_known_in_every_frame(view, tmp_path) -> None:
    assert "normalised_intensities" not in export(view, tmp_path)
    view.index["exposure_s"] = np.arange(1.0, 11)
    view.index.loc[1:, "beam_current_A"] = 1e-6
    view.known["fits"].loc[0, "status"] = "too_dim"
    table = pd.read_csv(export(view, tmp_path)["normalised_intensities"])
    assert set(table["divided_by"]) == {"exposure_s"}
    exposure = view.index["exposure_s"].repeat(4).to_numpy()
    for of, known in (("intensity", "intensities"), ("volume", "fits")):
        for end in ("", "_err"):
            whole = view.table(known)[f"{of}{end}"].to_numpy() / exposure
            if of == "volume":
                whole[0] = np.nan
            np.testing.assert_allclose(table[f"{of}_norm{end}"], whole)


def test_mean_radius_is_that_of_the_spots_that_have_one(view, tmp_path) -> None:
    view.known["radii"].loc[view.known["radii"]["frame"] == 7, "radius"] = np.nan
    means = pd.read_csv(export(view, tmp_path)["average_radius_per_frame"])
    assert means["n_tracks"].tolist() == [4, 4, 4, 3, 3, 3, 4, 0, 4, 4]
    radius = np.array([1.1, 1.2, 1.3, 1.4])
    assert means["radius_mean"][0] == pytest.approx(radius.mean())
    assert means["radius_sem"][0] == pytest.approx(radius.std(ddof=1) / 2)
    assert np.isnan(means["radius_mean"][7])


def test_legend_tells_where_each_track_was_seen(view, tmp_path) -> None:
    tracks = view.known["tracks"]
    tracks.loc[tracks["track_id"] == 2, "state"] = "predicted"
    tracks.loc[(tracks["track_id"] == 3) & (tracks["frame"] < 6), "state"] = "lost"
    legend = pd.read_csv(export(view, tmp_path)["track_legend"]).set_index("track_id")
    assert legend["n_measured"].tolist() == [10, 0, 4, 7]
    assert legend.loc[3, ["first_frame", "last_frame", "x_start"]].tolist() == [6, 9, 23.0]
    assert legend.loc[2, ["first_frame", "x_start"]].isna().all()
    assert legend["colour"].tolist() == [track_colour(i) for i in (1, 2, 3, 4)]


def test_only_tables_that_exist_are_written(view, tmp_path) -> None:
    for name in ("centers", "radii", "intensities"):
        del view.known[name]
    written = export(view, tmp_path)
    assert sorted(written) == ["full_analysis_per_spot", "track_legend"]
    assert pd.read_csv(written["full_analysis_per_spot"]).columns.tolist() == FULL[:-5]


@pytest.mark.parametrize(("missing", "command"), [("tracks", "track"), ("fits", "refine")])
def test_without_tracks_or_fits_it_says_what_to_do(view, tmp_path, missing, command) -> None:
    del view.known[missing]
    with pytest.raises(InputError, match=f"no {missing} — run: trackleed {command}"):
        export(view, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file_and_no_half_written_one(view, tmp_path) -> None:
    old = export(view, tmp_path)["full_analysis_per_spot"]
    before = old.read_bytes()
    view.known["fits"] = view.known["fits"].assign(status=object())
    with pytest.raises(Exception, match="object"):
        export(view, tmp_path)
    assert old.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_rows_that_a_table_lacks_are_empty(view, tmp_path) -> None:
    radii = view.known["radii"]
    view.known["radii"] = radii[radii["track_id"] != 2]
    full = pd.read_csv(export(view, tmp_path)["full_analysis_per_spot"])
    assert full.loc[full["track_id"] == 2, "radius"].isna().all()
    assert full.loc[full["track_id"] == 3, "radius"].notna().all()


def test_a_users_own_index_column_does_not_hide_a_result(view, tmp_path) -> None:
    view.index = view.index.assign(x=7.0, pressure_mbar=1e-10)
    full = pd.read_csv(export(view, tmp_path)["full_analysis_per_spot"])
    assert (full["index_x"] == 7.0).all()
    assert (full["pressure_mbar"] == 1e-10).all()
    assert full["x"][0] == 20.25


def test_parquet_holds_the_same_rows_with_their_types(view, tmp_path) -> None:
    (path,) = ParquetExporter(Params()).export(view, tmp_path)
    full = pq.read_table(path).to_pandas()
    assert full.columns.tolist() == FULL
    assert len(full) == 40
    assert full["saturated"].dtype == bool
    np.testing.assert_array_equal(full["volume"], view.table("fits")["volume"])
    assert list(tmp_path.iterdir()) == [path]


def test_neighbouring_tracks_differ_in_colour() -> None:
    colours = [track_colour(i) for i in range(1, 25)]
    assert len(set(colours)) == 24
    assert track_colour(25) == track_colour(1)
    assert all(len(c) == 7 and int(c[1:], 16) >= 0 for c in colours)
