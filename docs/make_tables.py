"""Write ``tables.md``: every table, its columns, units and meaning.

::

    python docs/make_tables.py

Names, kinds, units and meanings come from `trackleed.tables`; this file adds what a
row is, and what it means that a value is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from trackleed.analysis.positions.relative import NO_NUMBERS
from trackleed.builtin.refiners.status import NUMBERS
from trackleed.simulate.truth import TRUTH
from trackleed.tables import SPECS, FitStatus, PositionStatus, State, TableSpec

FILE = Path(__file__).with_name("tables.md")

INTRODUCTION = (
    "*Written by `python docs/make_tables.py` from `trackleed.tables`; change it there.*",
    """Coordinates are pixels: x to the right, y down, a whole number is a pixel's centre, the first
    pixel is (0, 0). Angles are degrees from +x towards +y, clockwise on the screen. Counts are
    those of the frames with the dark frame, flat field and background image applied where there are
    any. Errors are standard errors (one sigma). What is not known is NaN, in CSV files an empty
    field, never 0.""",
    """Each step of a session keeps its table as `tables/STEP.parquet`; in Python `run.table(step)`
    is a pandas DataFrame. Tables may have further columns, to the right of these.""",
)

ABOUT = {
    "index": """Made by `import`; a row for each frame. NaN where neither file names, index CSV,
        logs nor tags say it ([reading.md](reading.md)). Further columns follow: `element`,
        `surface`, `file_number` from file names, and your own from an index CSV.""",
    "detections": """Made by `detect`; a row for each spot found, any number in a frame. The ROI
        (region of interest) is the box that later steps look at.""",
    "seeds": """Start positions by hand, for trackers that take them, read with `trackleed track
        RUN.trackleed --seeds FILE.csv`. A track may start in several frames.""",
    "tracks": """Made by `track`; a row for every track in every frame. Where `state` is `lost`
        position, size and score are NaN.""",
    "fits": """Made by `refine`; a row for every row of `tracks`. Which numbers there are depends on
        `status`, below. Widths are standard deviations of the Gaussian. `theta_deg` and its error
        are NaN where the two widths do not differ by three standard errors, because a round spot
        has no axis; `sigma_x` and `sigma_y` are then the widths along x and y. Errors are those of
        the weighted fit, times the root of `chi2_red` where that is above 1 (option
        `refiner.scale_errors`).""",
    "centers": """Made by `analyse`; a row for each frame. `mode` is `pairs`, `circle`,
        `energy`, `fixed`, or `none` for a frame whose centre could not be found: then x and y
        are NaN and `n_spots` is 0. `rms` is NaN if there are no more spots than the centre
        needs. The errors of a fixed centre are NaN, because nobody measured it.""",
    "radii": """Made by `analyse`; a row for every row of `fits`. NaN where the fit is neither `ok`
        nor `saturated` (clipping takes a spot's height, not its place), or the frame has no
        centre. About a fixed centre the error is that of the spot alone. Where pixels are not
        square (option `analysis.pixel_aspect`), x and its error are stretched by their width over
        their height.""",
    "intensities": """Made by `analyse`; a row for every row of `tracks`. A spot that cannot be
        fitted still has an intensity, measured where the tracker saw it. The aperture's radius is
        the same for a track in all frames (option `analysis.aperture`). `intensity` is NaN where
        the track is lost, and where the aperture leaves the frame or holds masked or saturated
        pixels; `background` is known more often.""",
    "radius_energy": """Radius against beam energy, made by `radius-energy`; a row for each
        track. NaN where the energies do not determine a value, with the reason.""",
    "radius_residuals": """What that leaves; a row for every row of `radii`.""",
    "track_index": """Which beam a track is, made by `lattice`; a row for each track. NaN where
        a track is not indexed, with the reason.""",
    "lattice": """The reciprocal lattice, made by `lattice`; a row for each frame. NaN where
        there are fewer than three spots, all in one line, or where more than a third are
        outliers.""",
    "scales": """What pixels are in 1/Å, made by `lattice --lattice-constant`; a row for each frame.
        A spot at r px from the (0,0) beam has the in-plane wave vector r / `scale`, and left the
        sample at the angle asin(r / `screen_radius`).""",
    "deviations": """How far each spot is from where the others say it should be, made by
        `quality`; a row for every row of `fits`. NaN where the position does not count, or
        where the track is seen too seldom for a model.""",
    "track_quality": """What to trust, made by `quality`; a row for each track. Medians are NaN
        where no fit is usable.""",
    "frame_quality": """The same for each frame, made by `quality`.""",
    "group_fits": """Joint fits of a reference and its satellites, made by `positions`; a row for
        every spot of a group in every frame that has its track. Errors and `status` are as in
        `fits`. Spots that were left out of the joint fit have `n_together` 0 and, as `amplitude`,
        the height of a spot as wide as the reference at their seed.""",
    "positions": """Satellites relative to their reference, made by `positions`; a row for every
        satellite in every frame. The errors of dx, dy, r and the angle take the covariance of
        the two positions in the joint fit along.""",
    "truth": """Made by `trackleed simulate`, in `truth/truth.parquet` and `truth/truth.csv` beside
        the frames; a row for every spot in every frame, whether it can be seen or not.""",
}

STATES = {
    State.SEED: "where the track begins: first detected here, or started here by hand",
    State.MEASURED: "found in this frame",
    State.PREDICTED: "not seen; its place is known from the motion",
    State.MASKED: "its place lies where the mask hides the screen",
    State.SATURATED: "seen, with clipped pixels",
    State.LOST: "not there; no position",
    State.EDITED: "placed by hand",
}

STATUSES = {
    FitStatus.OK: "usable",
    FitStatus.LOST: "the track has no position in this frame; nothing was fitted",
    FitStatus.NEAR_EDGE: "too little of the ROI lies inside the frame",
    FitStatus.MASKED: "the mask hides the middle of the spot, or too much of the ROI",
    FitStatus.SATURATED: "clipped pixels under the spot; fitted to the others",
    FitStatus.TOO_DIM: "no spot stands out of the noise, or it is as narrow as a hot pixel",
    FitStatus.NO_CONVERGENCE: "the fit did not settle",
    FitStatus.LEFT_ROI: "it settled too far from the track, or wider than the ROI can show",
    FitStatus.NEIGHBOUR: "another spot, tracked or not, disturbs the fit or cannot be told apart",
}

RELATIVE = {
    PositionStatus.OK: "usable",
    PositionStatus.NO_REFERENCE: "the reference has no position to measure from",
    PositionStatus.LOST: "the satellite's track has no position in this frame",
    PositionStatus.NEAR_EDGE: "too little of the satellite's ROI lies inside the frame",
    PositionStatus.MASKED: "the mask hides the satellite",
    PositionStatus.TOO_DIM: "no satellite above the noise; `amplitude_limit`: how high at most",
    PositionStatus.NO_CONVERGENCE: "the joint fit did not settle with it",
    PositionStatus.WALKED: "the fit left its seed, or went over to a neighbour",
    PositionStatus.MERGED: "too near to the reference to be told apart",
    PositionStatus.JUMPED: "away from where the satellite's other frames put it",
    PositionStatus.SATURATED: "clipped pixels under one of the two; fitted to the others",
}

KEPT = """Numbers that are kept under another word than `ok` are there to be looked at, not to be
    averaged; they are NaN too if the fit did not settle."""

FILES = (
    (
        "`full_analysis_per_spot.csv`",
        "every track in every frame",
        "`track_id`, `frame`, those of `index`, `state`, those of `fits`, `radius`, `radius_err`, "
        "`intensity`, `intensity_err`, `background`",
    ),
    (
        "`pattern_center_data.csv`",
        "every frame",
        "`frame`, those of `index`, those of `centers`",
    ),
    (
        "`average_radius_per_frame.csv`",
        "every frame",
        "`frame`, those of `index`, `radius_mean` and `radius_sem` (mean over the tracks and its "
        "standard error, px), `n_tracks` that have a radius",
    ),
    (
        "`track_legend.csv`",
        "every track",
        "`track_id`, `first_frame`, `last_frame`, `x_start`, `y_start` (px, as tracked), "
        "`n_measured` (frames in which it was seen), `colour` (in the pictures)",
    ),
    *(
        (f"`{name}.csv`", "every " + row, columns)
        for name, row, columns in (
            ("track_index", "track, after `lattice`", "those of `track_index`"),
            ("lattice", "frame, after `lattice`", "`frame`, those of `index`, those of `lattice`"),
            (
                "scales",
                "frame, after `lattice --lattice-constant`",
                "`frame`, those of `index`, those of `scales`",
            ),
            ("radius_energy", "track, after `radius-energy`", "those of `radius_energy`"),
            (
                "radius_residuals",
                "track in every frame, after `radius-energy`",
                "`frame`, `track_id`, those of `index`, those of `radius_residuals`",
            ),
            (
                "deviations",
                "track in every frame, after `quality`",
                "`frame`, `track_id`, those of `index`, those of `deviations`",
            ),
            ("track_quality", "track, after `quality`", "those of `track_quality`"),
            ("uncertain_tracks", "uncertain track, after `quality`", "`track_id`, `reason`"),
            (
                "frame_quality",
                "frame, after `quality`",
                "`frame`, those of `index`, those of `frame_quality`",
            ),
            (
                "normalised_intensities",
                "track in every frame, where exposure or beam current are known in all",
                "`frame`, `track_id`, those of `index`, `intensity_norm`, `intensity_norm_err`, "
                "`volume_norm`, `volume_norm_err` (counts/s, counts/A or counts/(s A)), "
                "`divided_by` (columns of `index`)",
            ),
        )
    ),
    (
        "`positions.csv`, `positions_group_01.csv` ...",
        "every satellite in every frame; all groups, and each in a file of its own",
        "`frame`, those of `index`, those of `positions`",
    ),
)

FILES_TEXT = """Comma, decimal point, UTF-8, one line of names; there is a file for each table
    that the session has. A column of your own in the index that is called as one of ours becomes
    `index_NAME`. `trackleed export RUN.trackleed --as parquet` writes the columns of the first as
    one Parquet file."""


def text() -> str:
    """All of ``tables.md``."""
    parts = ["# Tables", *map(_paragraph, INTRODUCTION)]
    for spec in SPECS.values():
        parts += _table(spec)
        if spec.name == "tracks":
            parts += ["### State of a track in a frame", _states()]
        if spec.name == "fits":
            parts += ["### Status of a fit", _paragraph(KEPT), _statuses()]
        if spec.name == "positions":
            parts += ["### Status of a relative position", _relative()]
    parts += ["## The CSV files", _paragraph(FILES_TEXT)]
    parts += [_grid(("file", "a row for", "columns"), FILES)]
    return "\n\n".join([*parts, *_table(TRUTH)]) + "\n"


def _table(spec: TableSpec) -> list[str]:
    key = " and ".join(f"`{name}`" for name in spec.key)
    about = ABOUT.get(spec.name, "") + (f" No two rows have the same {key}." if key else "")
    rows = [(f"`{c.name}`", c.dtype, c.unit, c.meaning) for c in spec.columns]
    columns = ("column", "kind", "unit", "meaning")
    return [f"## {spec.name}", _paragraph(about), _grid(columns, rows)]


def _states() -> str:
    return _grid(("state", "meaning"), [(f"`{word}`", STATES[word]) for word in State])


def _statuses() -> str:
    rows = [(f"`{w}`", STATUSES[w], "kept" if w in NUMBERS else "NaN") for w in FitStatus]
    return _grid(("status", "meaning", "numbers"), rows)


def _relative() -> str:
    rows = [(f"`{w}`", RELATIVE[w], "NaN" if w in NO_NUMBERS else "kept") for w in PositionStatus]
    return _grid(("status", "meaning", "numbers"), rows)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _paragraph(words: str) -> str:
    return fill(" ".join(words.split()), 120, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    print(f"{FILE.name}: {len(SPECS) + 1} tables")
