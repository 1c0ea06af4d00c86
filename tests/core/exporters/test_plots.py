from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")

from trackleed import params, tables
from trackleed.analysis.deviations import deviations
from trackleed.analysis.energy import radius_energy, radius_residuals
from trackleed.analysis.normalise import normalise
from trackleed.analysis.quality import frame_quality, track_quality
from trackleed.builtin.exporters._axes import AXES, FRAME, varying
from trackleed.builtin.exporters._change import contracts, draw_change
from trackleed.builtin.exporters._curves import mean_curves, measured_rows
from trackleed.builtin.exporters._further import further_figures, group_figure
from trackleed.builtin.exporters._panels import Line, panels
from trackleed.builtin.exporters._plotting import (
    curve,
    fair_limits,
    new_figure,
    save,
    spread_apart,
)
from trackleed.builtin.exporters._sheet import SIZE, overview_sheet
from trackleed.builtin.exporters._trust import trust_figure
from trackleed.builtin.exporters.palette import on_paper, track_colour
from trackleed.builtin.exporters.params import PlotsParams
from trackleed.builtin.exporters.plots import PlotsExporter, radius_figure, with_moves
from trackleed.errors import InputError

ENERGY = AXES[0]


@pytest.fixture
def ramp(view):
    """Radii that shrink as 1/sqrt(E) from 50 to 95 eV."""
    view.index["energy_eV"] = 50 + 5.0 * np.arange(10)
    energy = np.repeat(view.index["energy_eV"].to_numpy(), 4)
    radii = view.known["radii"]
    radii["radius"] = (300 + 10 * radii["track_id"]) / np.sqrt(energy)
    radii["radius_err"] = 0.1
    return view


def export(view, folder: Path, **options) -> dict[str, Path]:
    exporter = PlotsExporter(params.make(PlotsParams, {"dpi": 60} | options, "plots"))
    return {path.name: path for path in exporter.export(view, folder)}


def drawn(axes) -> list[np.ndarray]:
    """The y values of the lines of a plot that show data, not helping lines."""
    lines = (np.asarray(line.get_ydata(), float) for line in axes.get_lines())
    return [y for y in lines if len(y) > 2]


def test_a_picture_of_each_quantity_against_whatever_varied_and_a_sheet(ramp, tmp_path) -> None:
    had_pyplot = "matplotlib.pyplot" in sys.modules
    written = export(ramp, tmp_path)
    quantities = ("intensity", "positions", "radius", "widths")
    curves = {f"{name}_against_{a}.png" for name in quantities for a in ("energy", "frame")}
    assert written.keys() == curves | {"overview_sheet.png"}
    assert ("matplotlib.pyplot" in sys.modules) == had_pyplot  # whose state is everybody's
    for path in written.values():
        with Image.open(path) as image:
            assert np.asarray(image.convert("L")).std() > 3, path  # something is drawn
    with Image.open(written["overview_sheet.png"]) as sheet:
        assert sheet.size == tuple(int(60 * inches) for inches in SIZE)


@pytest.mark.parametrize(("kind", "magic"), [("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_pictures_for_papers(ramp, tmp_path, kind, magic) -> None:
    figure = radius_figure(measured_rows(ramp), ENERGY)
    path = save(figure, tmp_path / "radius", PlotsParams(format=kind))
    assert path.name == f"radius.{kind}"
    assert path.read_bytes().startswith(magic)


def test_radius_figure_shows_every_track_with_its_number(ramp) -> None:
    left, right = radius_figure(measured_rows(ramp), ENERGY).axes
    assert len(drawn(left)) == 4
    np.testing.assert_allclose(drawn(left)[1][0], 320 / np.sqrt(50))
    assert {text.get_text() for text in left.texts} == {"1", "2", "3", "4"}
    assert len(left.collections) == 4  # error bands
    # r sqrt(E) of a perfect pattern stays the same.
    assert right.get_title(loc="left") == "r √E over each track's mean"
    assert np.nanmax(np.abs(np.concatenate(drawn(right)))) < 1e-6


def test_a_pattern_that_does_not_contract_is_told_from_one_that_does(ramp) -> None:
    rows = measured_rows(ramp)
    assert contracts(rows)
    rows["radius"] = 100.0 + rows["track_id"] + 0.01 * rows["frame"]
    assert not contracts(rows)
    axes = new_figure(4, 3).subplots()
    draw_change(axes, rows, ENERGY)
    assert axes.get_title(loc="left") == "Radius over each track's mean"


def test_the_central_beam_has_no_relative_radius(ramp) -> None:
    rows = measured_rows(ramp)
    rows.loc[rows["track_id"] == 1, "radius"] = 0.5
    axes = new_figure(4, 3).subplots()
    draw_change(axes, rows, FRAME)
    assert len(drawn(axes)) == 3 + 1  # and the median


def test_panels_show_aperture_and_volume_of_each_track(view) -> None:
    rows = measured_rows(view)
    lines = [Line("intensity"), Line("volume", grey=True)]
    figure = panels(rows, FRAME, {2: "(1|0)"}, lines, "Intensity", "legend")
    used = [axes for axes in figure.axes if axes.axison]
    titles = [axes.get_title(loc="left").split() for axes in used]
    assert titles == [["1"], ["2", "(1|0)"], ["3"], ["4"]]
    assert all(len(drawn(axes)) == 2 for axes in used)
    in_front = used[1].get_lines()[-1]
    assert in_front.get_color() == on_paper(2)
    expected = view.known["intensities"].query("track_id == 2")["intensity"]
    np.testing.assert_array_equal(in_front.get_ydata(), expected)
    assert np.isnan(drawn(used[3])[-1]).sum() == 3  # the line is broken where it is lost


def test_tracks_without_a_curve_are_named(view) -> None:
    rows = measured_rows(view)
    rows.loc[rows["track_id"] == 3, "intensity"] = np.nan
    figure = panels(rows, FRAME, {}, [Line("intensity")], "Intensity", "legend")
    assert figure.get_suptitle() == "legend   no curve: 3"


def test_sixty_panels_are_drawn_and_the_rest_counted(view) -> None:
    rows = measured_rows(view)
    many = [rows[rows["track_id"] == 1].assign(track_id=t) for t in range(1, 66)]
    many[9] = many[9].iloc[:5]
    rows = type(rows)(np.concatenate(many), columns=rows.columns).infer_objects()
    figure = panels(rows, FRAME, {}, [Line("intensity")], "Intensity", "legend")
    titles = {axes.get_title(loc="left").strip() for axes in figure.axes if axes.axison}
    assert len(titles) == 60
    assert "10" not in titles
    assert figure.get_suptitle() == "legend   and 5 shorter tracks"


def test_moves_are_about_the_mean_place_of_usable_fits(view) -> None:
    view.known["fits"].loc[0, "status"] = "left_roi"
    moves = with_moves(measured_rows(view)).set_index(["track_id", "frame"])
    assert np.isnan(moves.loc[(1, 0), "move_x"])
    assert moves.loc[1, "move_x"].mean() == pytest.approx(0)
    assert moves.loc[(2, 9), "move_x"] == pytest.approx(2.25)
    assert moves.loc[2, "move_y"].tolist() == pytest.approx([0] * 10)


def test_clipped_spots_have_no_width_but_a_dotted_volume(view) -> None:
    view.known["fits"].loc[view.known["fits"]["track_id"] == 1, "status"] = "saturated"
    rows = with_moves(measured_rows(view))
    first = rows[rows["track_id"] == 1]
    assert first["width_x"].isna().all()
    assert first["volume"].isna().all()
    assert first["volume_clipped"].notna().all()
    assert first["move_x"].notna().all()
    by = normalise(rows, view.index, of="volume_clipped")["by"]
    assert set(by) == {""}


def test_overview_sheet_has_the_key_numbers_and_all_its_plots(ramp) -> None:
    rows = measured_rows(ramp)
    figure = overview_sheet(ramp, rows, ramp.table("centers"), {}, ENERGY)
    pattern, centre, radius, intensity, fits = figure.axes
    assert len(pattern.images) == 1
    assert len(drawn(pattern)) == 4 + 1  # paths, and that of the centre
    assert len(drawn(centre)) == 2
    assert len(drawn(radius)) == 4
    assert radius.get_xlim()[0] == 0
    assert len(intensity.get_lines()) >= 4
    assert fits.get_ylim()[0] == 0
    said = {text.get_text() for part in figure.subfigs[0].subfigs for text in part.texts}
    assert {"10 of 100 x 80 px", "50 to 95 eV", "37 of 37"} <= said
    assert figure.get_suptitle() == "Ir(111)"


def test_a_series_without_a_single_usable_fit_still_has_its_pictures(view, tmp_path) -> None:
    view.known["fits"]["status"] = "too_dim"
    for table, name in (("radii", "radius"), ("intensities", "intensity"), ("centers", "x")):
        view.known[table][name] = np.nan
    view.known["centers"]["y"] = np.nan
    view.index["energy_eV"] = 60.0
    assert len(export(view, tmp_path)) == 5


def test_without_an_analysis_it_says_what_to_do(view, tmp_path) -> None:
    del view.known["centers"]
    with pytest.raises(InputError, match="no centers — run: trackleed analyse"):
        export(view, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_varies_is_known_and_changes_by_more_than_a_hundredth(view) -> None:
    view.index["energy_eV"] = 100 + 0.09 * np.arange(10)
    assert varying(view.index) == []
    view.index["temperature_K"] = 100.0 + np.arange(10)
    view.index.loc[3:, "temperature_K"] = np.nan
    view.index["time_s"] = np.nan
    assert [axis.name for axis in varying(view.index)] == ["temperature"]


def test_values_measured_twice_at_one_place_are_points_without_a_line() -> None:
    axes = new_figure(4, 3).subplots()
    curve(axes, np.array([3.0, 1, 1, 2]), np.array([4.0, 1, 2, 3]), np.ones(4), "#000000")
    (line,) = axes.get_lines()
    assert line.get_linestyle() == "None"
    assert line.get_marker() == "."
    assert np.asarray(line.get_xdata()).tolist() == [1, 1, 2, 3]
    (bars,) = axes.collections
    assert [bar[:, 1].tolist() for bar in bars.get_segments()] == [[0, 2], [1, 3], [2, 4], [3, 5]]


def test_a_point_between_unknown_ones_has_a_bar_for_its_error() -> None:
    axes = new_figure(4, 3).subplots()
    y = np.r_[np.arange(20.0), np.nan, 7.0, np.nan, np.arange(20.0)]
    curve(axes, np.arange(43.0), y, np.full(43, 0.5), "#000000")
    _, bars = axes.collections
    assert [bar.tolist() for bar in bars.get_segments()] == [[[21, 6.5], [21, 7.5]]]


def test_a_wild_point_does_not_stretch_the_limits() -> None:
    axes = new_figure(4, 3).subplots()
    fair_limits(axes, np.r_[np.linspace(0, 1, 100), 1e6, np.nan])
    low, high = axes.get_ylim()
    assert low <= 0
    assert 1 <= high < 2


def test_numbers_of_tracks_do_not_hide_one_another() -> None:
    assert spread_apart([1.0, 1.1, 5.0], 1.0, (0, 10)) == [1.0, 2.0, 5.0]
    assert spread_apart([8.0, 9.5, 9.9], 1.0, (0, 10)) == [8.0, 9.0, 10]
    assert spread_apart([], 1.0, (0, 10)) == []


def test_colours_on_paper_keep_their_hue_and_can_be_seen() -> None:
    assert on_paper(5) == track_colour(5)  # blue is dark enough
    yellow = [int(on_paper(4)[i : i + 2], 16) for i in (1, 3, 5)]
    assert yellow[0] > yellow[2]
    assert sum(yellow) < sum(int(track_colour(4)[i : i + 2], 16) for i in (1, 3, 5))


@pytest.fixture
def analysed(ramp):
    """A series with all further analyses, whose second track is uncertain."""
    frame = np.arange(10)
    ones = {c.name: np.ones(10) for c in tables.LATTICE.columns}
    strains = {"strain_a": 0.1 * frame, "strain_b": -0.2 * frame, "angle_deg": 60 + 0.01 * frame}
    ramp.known["lattice"] = tables.build(tables.LATTICE, ones | strains | {"frame": frame})
    radii = ramp.known["radii"]
    ramp.known["radius_energy"] = radius_energy(radii, ramp.index)
    ramp.known["radius_residuals"] = radius_residuals(
        radii, ramp.index, ramp.known["radius_energy"]
    )
    away = deviations(ramp.known["fits"], index=ramp.index)
    ramp.known["track_quality"] = track_quality(ramp.known["fits"], away)
    ramp.known["track_quality"]["reason"] = ["", "weak: median snr 3", "", ""]
    ramp.known["frame_quality"] = frame_quality(ramp.known["fits"], away)
    return ramp


def test_further_analyses_have_their_figures(analysed, tmp_path) -> None:
    written = export(analysed, tmp_path, groups=[[1, 2], [3]]).keys()
    further = ("lattice", "radius_residuals", "group_intensity")
    assert {f"{name}_against_{a}.png" for name in further for a in ("energy", "frame")} <= written
    assert "quality.png" in written


def test_the_lattice_figure_shows_strain_rotation_angle_and_scatter(analysed) -> None:
    strain, turn, angle, rms = dict(further_figures(analysed, ENERGY))["lattice"].axes
    np.testing.assert_allclose(drawn(strain)[0], 0.1 * np.arange(10))
    np.testing.assert_allclose(drawn(strain)[1], -0.2 * np.arange(10))
    np.testing.assert_allclose(drawn(angle)[0], 60 + 0.01 * np.arange(10))
    assert len(strain.collections) == 2
    assert [len(axes.collections) for axes in (turn, angle, rms)] == [1, 1, 0]


def test_residuals_of_radii_that_shrink_as_they_should_vanish(analysed) -> None:
    left, right = dict(further_figures(analysed, ENERGY))["radius_residuals"].axes
    for axes in (left, right):
        lines = drawn(axes)
        assert len(lines) == 5  # four tracks and their median
        assert max(np.nanmax(np.abs(y)) for y in lines) < 1e-6
    assert left.get_title("left").startswith("r² (E + E₀), E₀ = 0.00 ±")


def test_tracks_to_look_at_come_first_with_the_reason(analysed) -> None:
    axes = trust_figure(analysed, {2: "(1|0)"}, ENERGY).axes[-1]
    assert axes.get_title("left") == "1 of 4 tracks are uncertain"
    assert [t.get_text() for t in axes.get_yticklabels()] == ["2  (1|0)", "1", "3", "4"]
    assert [t.get_text() for t in axes.texts][:2] == ["weak: median snr 3", ""]


def test_a_group_is_drawn_as_the_mean_of_its_tracks_with_the_error_of_the_mean(ramp) -> None:
    rows, groups = measured_rows(ramp), {"tracks 1+2": [1, 2], "tracks 3": [3]}
    curves = mean_curves(rows, groups)
    figure = group_figure(rows, curves, groups, ENERGY, "intensity", "Intensity (counts)")
    first = figure.axes[0]
    one, two, mean = drawn(first)
    np.testing.assert_allclose(mean, (one + two) / 2)
    band = first.collections[0].get_paths()[0].vertices[:, 1]
    half = np.abs(one - two)[0] / 2  # standard error of the mean of two
    assert band.max() == pytest.approx(mean.max() + half)
    alone = curves[curves["curve"] == "tracks 3"]
    assert alone["intensity_sem"].isna().all()


def test_a_group_without_intensities_says_so(ramp) -> None:
    rows, groups = measured_rows(ramp), {"tracks 1+2": [1, 2], "tracks 3": [3]}
    rows.loc[rows["track_id"] == 3, "intensity"] = np.nan
    curves = mean_curves(rows, groups)
    figure = group_figure(rows, curves, groups, ENERGY, "intensity", "Intensity (counts)")
    said = [[text.get_text() for text in axes.texts] for axes in figure.axes[:2]]
    assert not said[0]
    assert "none is known" in said[1][0]
