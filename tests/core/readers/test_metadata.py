from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trackleed.builtin.readers.index_csv import parse_index
from trackleed.builtin.readers.merging import Source, merge
from trackleed.builtin.readers.params import SeriesParams
from trackleed.builtin.readers.series import Series
from trackleed.builtin.readers.sidecar import parse_log
from trackleed.errors import InputError, ParamsError
from trackleed.params import make

OpenSeries = Callable[..., Series]


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Three frames, f_1.tif to f_3.tif."""
    for n in (1, 2, 3):
        tifffile.imwrite(tmp_path / f"f_{n}.tif", np.full((8, 8), n, np.uint16))
    return tmp_path


# The user's own expression


def test_a_pattern_reads_what_the_parser_would_not(tmp_path: Path, open_series: OpenSeries) -> None:
    for name in ("name30.5", "name31,5", "other"):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / f"{name}.png")
    series = open_series(tmp_path, pattern=r"name(?P<energy_eV>[\d.,]+)$")
    np.testing.assert_array_equal(series.index["energy_eV"], [30.5, 31.5, np.nan])
    assert "from pattern: energy_eV (2 of 3 frames)" in series.notes


def test_a_pattern_may_name_other_units_and_words(frames: Path, open_series: OpenSeries) -> None:
    series = open_series(frames, pattern=r"(?P<element>f)_(?P<temperature_C>(?P<time_min>\d))")
    np.testing.assert_allclose(series.index["temperature_K"], [274.15, 275.15, 276.15])
    assert list(series.index["time_s"]) == [60, 120, 180]
    assert list(series.index["element"]) == ["f"] * 3


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (r"(?P<energie>\d)", "unknown group energie.*temperature_C"),
        (r"(\d)", "no named group"),
        (r"(?P<energy_eV>\d", "no regular expression"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(ParamsError, match=said):
        make(SeriesParams, {"pattern": pattern}, "images")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (r"(?P<energy_eV>\d+)eV", "matches no file name, such as 'f_1'"),
        (r"(?P<energy_eV>f)", r"energy_eV in f_1\.tif: 'f' is not a number"),
    ],
)
def test_a_pattern_that_finds_nothing_useful_is_an_error(
    frames: Path, open_series: OpenSeries, pattern: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        open_series(frames, pattern=pattern)


# Index CSV

SEMICOLONS = """\ufeff% a comment
file; energy (eV); T [°C]; I0 (uA); time (min); note
# another
f_1.tif; 20,5; -107; 1,5; 0; first
F_2.TIF; 21; ; 1,6; 1;
f_3; 21,5; -106; nan; 2; x
"""


def test_a_csv_as_spreadsheets_write_it_here(frames: Path, open_series: OpenSeries) -> None:
    (frames / "index.csv").write_text(SEMICOLONS, encoding="utf-8")
    index = open_series(frames).index
    np.testing.assert_allclose(index["energy_eV"], [20.5, 21, 21.5])
    np.testing.assert_allclose(index["temperature_K"], [166.15, np.nan, 167.15])
    np.testing.assert_allclose(index["beam_current_A"], [1.5e-6, 1.6e-6, np.nan])
    np.testing.assert_allclose(index["time_s"], [0, 60, 120])
    assert list(index["note"]) == ["first", "", "x"]


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_rows_may_come_in_any_order_and_not_for_all(
    frames: Path, open_series: OpenSeries, separator: str
) -> None:
    rows = [("frame", "file", "energy_eV", "n pixels"), ("7", "f_3.tif", "3.5", "30"),
            ("8", "f_1.tif", "1.5", "10")]  # fmt: skip
    (frames / "e.csv").write_text("\n".join(separator.join(row) for row in rows))
    series = open_series(frames)
    np.testing.assert_array_equal(series.index["energy_eV"], [1.5, np.nan, 3.5])
    np.testing.assert_array_equal(series.index["n_pixels"], [10, np.nan, 30])
    assert list(series.index["frame"]) == [0, 1, 2]
    assert "from e.csv: energy_eV (2 of 3 frames), n_pixels (2 of 3 frames)" in series.notes


def test_a_csv_may_count_frames_before_sampling(tmp_path: Path, open_series: OpenSeries) -> None:
    tifffile.imwrite(tmp_path / "s.tif", np.zeros((5, 8, 8), np.uint8), photometric="minisblack")
    rows = "\n".join(f"{i},{10 * i}" for i in range(5))
    (tmp_path / "axis.csv").write_text(f"frame,E\n{rows}\n")
    series = open_series(tmp_path / "s.tif", every=2, index_csv="axis.csv")
    assert list(series.index["energy_eV"]) == [0, 20, 40]
    assert open_series(tmp_path / "s.tif").index["energy_eV"].isna().all()


def test_dates_in_a_csv_become_seconds_since_the_first_frame(
    frames: Path, open_series: OpenSeries
) -> None:
    (frames / "t.csv").write_text(
        "name,time\nf_1.tif,2025-04-14 23:59:50\nf_2.tif,2025-04-15 00:00:10\n"
        "f_3.tif,2025-04-15 00:00:11.5\n"
    )
    assert list(open_series(frames).index["time_s"]) == [0, 20, 21.5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,E\nf_1.tif,abc\n", r"line 2, column 'E': 'abc' is not a number"),
        ("file,T (C)\nf_1.tif,-300\n", "below absolute zero"),
        ("file,E\n\nf_1.tif,1,5\n", "line 3 has 3 values, the header has 2"),
        ("file,E\nf_1.tif,1\nF_1.tif,2\n", r"line 3: F_1\.tif has a row already"),
        ("file,E (eV),energy_eV\nf_1.tif,1,2\n", "two columns for energy_eV"),
        ("what,E\nx,1\n", "no column of file names; it has what, E"),
        ("file,E\nf_1.tif,1\ng.tif,2\n", r"1 row\(s\) for files that are not there: g\.tif"),
        ("file,E\ng.tif,2\n", r"no row for any frame, such as f_1\.tif; its first row is for g"),
        ("frame,E\n1.5,2\n", "frame '1.5' is not a whole number"),
        ("file,E\n", "no rows"),
    ],
)
def test_what_is_wrong_with_a_csv_is_said(
    frames: Path, open_series: OpenSeries, text: str, said: str
) -> None:
    (frames / "i.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        open_series(frames, index_csv=str(frames / "i.csv"))


def test_a_csv_that_is_not_there_is_an_error(frames: Path, open_series: OpenSeries) -> None:
    with pytest.raises(InputError, match=r"no\.csv'.*no such file"):
        open_series(frames, index_csv="no.csv")


def test_csv_files_about_other_things_are_left_alone_and_two_are_not_chosen_between(
    frames: Path, open_series: OpenSeries
) -> None:
    (frames / "results.csv").write_text("track_id,x\n1,2\n")
    (frames / "others.csv").write_text("file,E\nz.tif,5\n")
    assert open_series(frames).index["energy_eV"].isna().all()
    (frames / "a.csv").write_text("file,E\nf_1.tif,5\n")
    (frames / "b.csv").write_text("file,E\nf_1.tif,6\n")
    series = open_series(frames)
    assert series.index["energy_eV"].isna().all()
    assert any("a.csv and b.csv list the frames: none is used" in note for note in series.notes)
    assert open_series(frames, index_csv="b.csv").index["energy_eV"][0] == 6


def test_rows_for_missing_files_of_a_csv_that_nobody_named_are_only_noted(
    frames: Path, open_series: OpenSeries
) -> None:
    (frames / "i.csv").write_text("file,E\nf_1.tif,5\ngone.tif,6\n")
    assert any("not there: gone.tif" in note for note in open_series(frames).notes)


names = st.text(alphabet="abcxyz_0123456789", min_size=1, max_size=8)


@settings(max_examples=50)
@given(st.dictionaries(names, st.floats(0.1, 1e4), min_size=1, max_size=8), st.sampled_from(",;\t"))
def test_any_energies_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, energies: dict[str, float], separator: str
) -> None:
    path = tmp_path_factory.mktemp("csv") / "i.csv"
    rows = [f"{name}.png{separator}{energy!r}" for name, energy in energies.items()]
    path.write_text("\n".join([f"file{separator}energy (eV)", *rows]))
    table = parse_index(path)
    assert table.rows == {f"{name}.png": {"energy_eV": e} for name, e in energies.items()}


# Logs


def write_log(path: Path, second: int, energy: str, celsius: str) -> None:
    path.write_bytes(
        f"lunedì 14 aprile 2025 - 18:10:{second:02d}\n\nEnergy (eV)\n{energy}\n\n"
        f"Number of Frames\n50\n\nTemperature (°C)\n{celsius}\n\n"
        f"Pressure (mbar)\n7.592E-10\n".encode("latin-1")
    )


def test_logs_beside_the_frames_are_used(frames: Path, open_series: OpenSeries) -> None:
    (frames / "f_2.tif").rename(frames / "f_2 (1).tif")
    for n, celsius in ((1, "-1.778E+2"), (2, "-177,5"), (3, "")):
        write_log(frames / f"f_{n}_log.txt", 10 * n, str(100 + n), celsius)
    index = open_series(frames).index
    assert list(index["energy_eV"]) == [101, 102, 103]
    assert list(index["time_s"]) == [0, 10, 20]
    np.testing.assert_allclose(index["temperature_K"], [95.35, 95.65, np.nan])
    assert list(index["n_averaged"]) == [50, 50, 50]
    assert list(index["pressure_mbar"]) == [7.592e-10] * 3


def test_logs_may_be_off_or_wanted_for_every_frame(frames: Path, open_series: OpenSeries) -> None:
    write_log(frames / "f_1_log.txt", 1, "100", "20")
    write_log(frames / "f_3.log", 3, "102", "20")
    series = open_series(frames)
    np.testing.assert_array_equal(series.index["energy_eV"], [100, np.nan, 102])
    assert series.index["time_s"].isna().all()
    assert "logs: 2 of 3 frames have a date; not used" in series.notes
    assert open_series(frames, sidecar="off").index["energy_eV"].isna().all()
    with pytest.raises(InputError, match=r"f_2\.tif has no log; looked for f_2_log\.txt"):
        open_series(frames, sidecar="on")


def test_one_log_is_not_shared_by_a_numbered_series(
    tmp_path: Path, open_series: OpenSeries
) -> None:
    for n in (1, 2):
        Image.fromarray(np.full((4, 4), n, np.uint8)).save(tmp_path / f"scan ({n}).png")
    write_log(tmp_path / "scan_log.txt", 1, "100", "20")
    assert open_series(tmp_path).index["energy_eV"].isna().all()


def test_logs_with_label_and_value_in_one_line() -> None:
    text = "Energy: 187 eV\nTemperature (°C) = -20\nTemperature: 5\nI0 = 2 nA\nTime: later\n"
    expected = {"energy_eV": 187, "temperature_K": 253.15, "beam_current_A": 2e-9}
    assert parse_log(text) == pytest.approx(expected)


@settings(max_examples=100)
@given(st.text(max_size=80))
def test_any_text_is_a_log_that_says_nothing_impossible(text: str) -> None:
    record = parse_log(text)
    assert isinstance(record.get("temperature_K", 0.0), float)


# Tags


def test_imagej_labels_and_frame_interval(tmp_path: Path, open_series: OpenSeries) -> None:
    labels = ["E=20.5 eV, I0=1.5 uA", "MoS2_001_21.0eV_T-20C.png", "nothing"]
    tifffile.imwrite(
        tmp_path / "s.tif", np.zeros((3, 8, 8), np.uint16), imagej=True,
        metadata={"axes": "TYX", "finterval": 0.5, "Labels": labels},
    )  # fmt: skip
    index = open_series(tmp_path / "s.tif").index
    np.testing.assert_array_equal(index["energy_eV"], [20.5, 21, np.nan])
    np.testing.assert_allclose(index["temperature_K"], [np.nan, 253.15, np.nan])
    np.testing.assert_allclose(index["beam_current_A"], [1.5e-6, np.nan, np.nan])
    assert list(index["time_s"]) == [0, 0.5, 1]
    assert open_series(tmp_path / "s.tif", tags=False).index["time_s"].isna().all()


def test_tiff_tags_give_time_exposure_and_what_the_description_says(
    tmp_path: Path, open_series: OpenSeries
) -> None:
    for n in range(2):
        tifffile.imwrite(
            tmp_path / f"{n}.tif", np.zeros((8, 8), np.uint16), datetime=f"2025:04:14 18:10:0{n}",
            description="Energy = 50 eV\nTemperature: -20 C\n", metadata=None,
            extratags=[(33434, 5, 1, (1, 4), True)],
        )  # fmt: skip
    index = open_series(tmp_path).index
    assert list(index["time_s"]) == [0, 1]
    assert list(index["exposure_s"]) == [0.25, 0.25]
    assert list(index["energy_eV"]) == [50, 50]
    np.testing.assert_allclose(index["temperature_K"], 253.15)


def test_exif_gives_time_and_exposure(tmp_path: Path, open_series: OpenSeries) -> None:
    for n in range(2):
        image = Image.new("L", (8, 8))
        exif = image.getexif()
        exif.get_ifd(0x8769).update({0x9003: f"2025:04:14 18:10:0{n}", 0x829A: 0.5})
        image.save(tmp_path / f"{n}.jpg", exif=exif)
    index = open_series(tmp_path).index
    assert list(index["time_s"]) == [0, 1]
    assert list(index["exposure_s"]) == [0.5, 0.5]


def test_the_same_date_in_all_files_is_no_time(tmp_path: Path, open_series: OpenSeries) -> None:
    for n in range(2):
        tifffile.imwrite(
            tmp_path / f"{n}.tif", np.zeros((8, 8), np.uint16), datetime="2025:04:14 18:10:00"
        )
    series = open_series(tmp_path)
    assert series.index["time_s"].isna().all()
    assert "tags: the time is the same in all frames; not used" in series.notes


# Precedence


def test_each_source_is_believed_in_its_turn(tmp_path: Path, open_series: OpenSeries) -> None:
    for n in (1, 2):
        tifffile.imwrite(
            tmp_path / f"f_{n}_14eV_T300K.tif", np.zeros((8, 8), np.uint8),
            description="Energy = 15 eV, coverage = 0.5 ML", metadata=None,
        )  # fmt: skip
    off = {"index_csv": "none", "sidecar": "off"}
    (tmp_path / "i.csv").write_text("file,E\nf_1_14eV_T300K.tif,12\nf_2_14eV_T300K.tif,\n")
    (tmp_path / "f_1_14eV_T300K.log").write_text("Energy (eV)\n13\n")
    (tmp_path / "f_2_14eV_T300K.log").write_text("Energy (eV)\n13\n")
    for options, energies in (
        ({"pattern": r"f_(?P<energy_eV>\d)"}, [1, 2]),
        ({}, [12, 13]),
        ({"index_csv": "none"}, [13, 13]),
        (off, [14, 14]),
        ({**off, "names": False}, [15, 15]),
        ({**off, "names": False, "tags": False}, [np.nan, np.nan]),
    ):
        series = open_series(tmp_path, **options)
        np.testing.assert_array_equal(series.index["energy_eV"], energies)
    series = open_series(tmp_path)
    assert list(series.index["temperature_K"]) == [300, 300]
    assert list(series.index["coverage_ML"]) == [0.5, 0.5]
    clash = (
        "energy_eV: logs differ in 1 frame(s), first in frame 0 (13.0 against 12.0, which is kept)"
    )
    assert clash in series.notes


def test_what_nobody_says_is_unknown_and_said_so(frames: Path, open_series: OpenSeries) -> None:
    series = open_series(frames)
    unknown = [
        "time_s",
        "temperature_K",
        "energy_eV",
        "coverage_ML",
        "exposure_s",
        "beam_current_A",
    ]
    assert series.index[unknown].isna().all(axis=None)
    assert f"unknown: {', '.join(unknown)}" in series.notes


def test_times_of_two_clocks_are_not_mixed() -> None:
    first = Source("a", [{"time_s": 5.0}, {}])
    second = Source("b", [{"time_s": 100.0}, {"time_s": 200.0}])
    columns, _ = merge([first, second])
    np.testing.assert_array_equal(columns["time_s"], [5.0, np.nan])


values = st.lists(st.none() | st.floats(1, 100), min_size=4, max_size=4)


@settings(max_examples=50)
@given(st.lists(values, min_size=1, max_size=3))
def test_the_first_source_that_knows_a_value_gives_it(sources: list[list[float | None]]) -> None:
    merged = merge(
        [
            Source(str(k), [{} if v is None else {"energy_eV": v} for v in column])
            for k, column in enumerate(sources)
        ]
    )
    for i in range(4):
        known = [column[i] for column in sources if column[i] is not None]
        found = merged.columns.get("energy_eV", np.full(4, np.nan))[i]
        assert found == known[0] if known else np.isnan(found)
