"""The measured series through the whole chain, without options."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

import trackleed as tl
from trackleed import tables
from trackleed.cli.app import cli
from trackleed.session import Session
from trackleed.tables import State

pytestmark = pytest.mark.real_data

Run = Callable[[Path], Session]
FIRST_ORDER = [(235, 176), (358, 154), (438, 250), (393, 364), (273, 381), (195, 291)]  # 50.5 eV


class Uleed:
    """Every fourth frame of the micro-LEED series."""

    def __init__(self, source: Path, folder: Path) -> None:
        run = tl.import_frames(source, folder / "mos2.trackleed", reader_options={"every": 4})
        self.detections = run.table(run.detect())
        self.tracks = run.table(run.track())
        index = run.session.latest("import")
        assert index is not None
        self.energy = run.table(index)["energy_eV"].to_numpy()
        self.seen = self.tracks[self.tracks["x"].notna()]
        reference = self.seen[self.seen["frame"] == np.flatnonzero(self.energy == 50.5)[0]]
        self.first_order = [nearest(reference, *spot)["track_id"] for spot in FIRST_ORDER]

    def path(self, track_id: int) -> pd.DataFrame:
        return self.seen[self.seen["track_id"] == track_id].sort_values("frame")

    def beside(self, table: pd.DataFrame, path: pd.DataFrame, distance: float) -> pd.DataFrame:
        """Rows of a table near a track, in its gaps near the line across."""
        x, y = (np.interp(table["frame"], path["frame"], path[name]) for name in ("x", "y"))
        return table[np.hypot(table["x"] - x, table["y"] - y) < distance]


def nearest(table: pd.DataFrame, x: float, y: float, within: float = 5.0) -> pd.Series:
    distance = np.hypot(table["x"] - x, table["y"] - y)
    assert distance.min() < within, f"nothing at ({x}, {y})"
    return table.loc[distance.idxmin()]


@pytest.fixture(scope="module")
def uleed(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Uleed:
    return Uleed(real_data / "mos2_uleed", tmp_path_factory.mktemp("uleed"))


def test_each_first_order_spot_is_one_track_wherever_it_is_visible(uleed: Uleed) -> None:
    assert len(set(uleed.first_order)) == 6
    from_here = np.flatnonzero(uleed.energy >= 32)
    for track_id in uleed.first_order:
        path = uleed.path(track_id)
        visible = uleed.beside(uleed.detections, path, 15)["frame"]
        visible = visible[visible.isin(from_here)]
        assert visible.nunique() > 0.9 * len(from_here)
        assert set(visible) <= set(path["frame"])
        beside = uleed.beside(uleed.seen[uleed.seen["track_id"] != track_id], path, 15)
        assert len(beside) == 0


def test_no_track_is_on_text_or_rulers(uleed: Uleed) -> None:
    assert uleed.seen["y"].between(45, 505).all()
    assert uleed.seen["x"].between(40, 575).all()


def test_the_drift_of_the_pattern_shows_in_the_tracks(uleed: Uleed) -> None:
    drift = []
    for track_id in uleed.first_order:
        path = uleed.path(track_id)
        x = path.loc[uleed.energy[path["frame"]] >= 30, "x"]
        drift.append(x.tail(4).median() - x.head(4).median())
    assert 8 < np.mean(drift) < 11
    assert min(drift) > 5


@pytest.fixture
def whole_run(tmp_path: Path) -> Run:
    """``trackleed run`` on a source, without options; all that it promises is checked."""

    def run(source: Path) -> Session:
        path = tmp_path / "a.trackleed"
        CliRunner().invoke(cli, ["run", str(source), str(path)], catch_exceptions=False)
        session = Session.open(path)
        assert {step.status for step in session.steps} == {"done"}
        check_tables(session)
        check_files(session)
        return session

    return run


def newest(session: Session, kind: str) -> pd.DataFrame:
    step = session.latest(kind)
    assert step is not None
    return session.table(step)


def check_tables(session: Session) -> None:
    for step in session.steps:
        if step.spec is not None:
            tables.check(session.table(step), tables.SPECS[step.spec])
    tracks = newest(session, "track")
    rows = tracks["track_id"].nunique() * session.store.n_valid
    assert (
        len(tracks) == len(newest(session, "refine")) == len(newest(session, "intensity")) == rows
    )
    assert set(tracks["state"]) <= set(State)
    assert tracks.loc[tracks["state"] == State.LOST, ["x", "y"]].isna().all(axis=None)


def check_files(session: Session) -> None:
    exports = session.path / "exports"
    frames, tracks = session.store.n_valid, newest(session, "track")["track_id"].nunique()
    rows = {
        "full_analysis_per_spot.csv": frames * tracks,
        "pattern_center_data.csv": frames,
        "average_radius_per_frame.csv": frames,
        "track_legend.csv": tracks,
    }
    for name, count in rows.items():
        assert len(pd.read_csv(exports / name)) == count, name
    pictures = sorted((exports / "track_visualizations").glob("*.png"))
    names = {picture.name for picture in pictures}
    assert {"overview.png", "contact_sheet.png"} < names
    assert len(names) == frames + 2  # a short series is drawn whole
    for picture in pictures:
        with Image.open(picture) as image:
            image.verify()


def check_spots(session: Session, frame: int, spots: list[tuple[int, int]]) -> None:
    """Spots that the eye sees in a frame are detected."""
    detections = newest(session, "detect")
    here = detections[detections["frame"] == frame]
    for spot in spots:
        nearest(here, *spot)


@pytest.mark.parametrize(
    ("numbers", "energies", "frame", "spots", "tracks"),
    [
        (
            range(5),
            [187, 168, 102, 220, 304],
            1,
            [(323, 332), (194, 319), (263, 201), (379, 447), (395, 209), (450, 335), (253, 439)],
            (7, 12),
        ),
        (
            range(5, 10),
            [304, 220, 102, 168, 187],
            2,
            [(481, 333), (245, 164), (235, 462), (159, 314), (413, 174), (450, 257), (438, 409)],
            (20, 40),
        ),
    ],
    ids=["1x1", "superstructure"],
)
def test_iridium(
    whole_run: Run,
    real_data: Path,
    tmp_path: Path,
    numbers: range,
    energies: list[int],
    frame: int,
    spots: list[tuple[int, int]],
    tracks: tuple[int, int],
) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in numbers:
        for file in (real_data / "ir111_lab").glob(f"*_{number:03d}*"):
            shutil.copy(file, folder)
    session = whole_run(folder)
    assert newest(session, "import")["energy_eV"].tolist() == energies
    check_spots(session, frame, spots)
    assert tracks[0] <= newest(session, "track")["track_id"].nunique() <= tracks[1]


def test_graphene_moire(whole_run: Run, real_data: Path) -> None:
    session = whole_run(real_data / "graphene_ir_moire")
    first_order = [(287, 214), (344, 338), (464, 340), (277, 439), (221, 326), (392, 435)]
    check_spots(session, 0, first_order)
    check_spots(session, 5, [(233, 323), (392, 432), (406, 228), (293, 221), (345, 333)])
    centres = newest(session, "center").dropna(subset=["x"])
    assert len(centres) > 5
    assert (np.hypot(centres["x"] - 345, centres["y"] - 333) < 15).all()


def test_one_frame_with_a_gun_shadow(whole_run: Run, real_data: Path) -> None:
    session = whole_run(real_data / "single" / "leed_gun_shadow.png")
    spots = [(844, 184), (961, 258), (1076, 332), (562, 380), (1196, 398), (698, 458), (1319, 467)]
    spots += [(978, 630), (523, 714), (1152, 730), (645, 782), (1282, 808), (767, 848), (884, 923)]
    spots += [(1006, 999)]
    check_spots(session, 0, spots)
    scores = newest(session, "track")["score"].sort_values(ascending=False).to_numpy()
    assert scores[len(spots) - 1] > 10 * scores[len(spots)]  # what else there is stands far behind


def test_rheed(whole_run: Run, real_data: Path) -> None:
    session = whole_run(real_data / "rheed_sb_deposition")
    assert newest(session, "import")["energy_eV"].isna().all()
    check_spots(session, 0, [(660, 185), (738, 227), (816, 184), (877, 373), (537, 324)])
    found = newest(session, "detect").groupby("frame").size().reindex(range(26), fill_value=0)
    assert found[0] > 100
    assert (found[9:21] < 10).all()  # the spots fade out; what comes back are streaks
