from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trackleed import frames, params
from trackleed.builtin.exporters._grey import Grey, grey_for
from trackleed.builtin.exporters._picture import RIM, Picture, Shade
from trackleed.builtin.exporters.overlays import OverlaysExporter, spread
from trackleed.builtin.exporters.palette import track_colour
from trackleed.builtin.exporters.params import OverlaysParams
from trackleed.errors import InputError

SCALE = 5


def export(view, folder: Path, **options) -> dict[str, Path]:
    options = {"size": 100 * SCALE, "max_frames": 10} | options
    exporter = OverlaysExporter(params.make(OverlaysParams, options, "overlays"))
    return {path.name: path for path in exporter.export(view, folder)}


def draw(view, folder: Path, frame: int, **options) -> Path:
    """The picture of one frame; those after it are not drawn."""
    options = {"size": 100 * SCALE, "max_frames": 10} | options
    exporter = OverlaysExporter(params.make(OverlaysParams, options, "overlays"))
    return next(p for p in exporter.export(view, folder) if p.stem == f"frame_{frame:04d}")


def near(image: Path, x: float, y: float, reach: float) -> np.ndarray:
    """Pixels of a picture about a point of the frame."""
    with Image.open(image) as opened:
        pixels = np.asarray(opened).astype(int)
    cx, cy, r = round((x + 0.5) * SCALE), round((y + 0.5) * SCALE), round(reach * SCALE)
    return pixels[max(cy - r, 0) : cy + r, max(cx - r, 0) : cx + r]


def count(image: Path, colour: str, x: float, y: float, reach: float = 8) -> int:
    """How many pixels near a point of the frame have about this colour."""
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(near(image, x, y, reach) - rgb).max(axis=-1) < 40).sum())


def test_pictures_of_frames_an_overview_and_a_sheet(view, tmp_path) -> None:
    written = export(view, tmp_path)
    assert sorted(written) == [
        "contact_sheet.png",
        *[f"frame_{i:04d}.png" for i in range(10)],
        "overview.png",
    ]
    folder = tmp_path / "track_visualizations"
    assert sorted(folder.iterdir()) == sorted(written.values())
    with Image.open(written["frame_0003.png"]) as frame:
        assert frame.width == 100 * SCALE
        assert frame.height > 80 * SCALE  # the caption
    with Image.open(written["overview.png"]) as overview:
        assert overview.width > 100 * SCALE  # the legend


def test_at_most_so_many_frames_the_first_and_the_last_among_them(view, tmp_path) -> None:
    written = export(view, tmp_path, max_frames=3)
    assert [n for n in sorted(written) if n.startswith("frame")] == [
        "frame_0000.png",
        "frame_0004.png",
        "frame_0009.png",
    ]
    assert spread(1, 60) == [0]
    assert spread(1000, 60)[-1] == 999
    assert len(spread(1000, 60)) == 60


def test_each_spot_has_its_tracks_colour_and_no_others(view, tmp_path) -> None:
    picture = draw(view, tmp_path, 1)
    spots = view.known["fits"].query("frame == 1")
    for spot in spots.itertuples():
        for track_id in (1, 2, 3, 4):
            seen = count(picture, track_colour(track_id), spot.x, spot.y)
            assert (seen > 20) == (track_id == spot.track_id)


def test_a_lost_spot_shows_small_where_it_was_last_seen(view, tmp_path) -> None:
    written = export(view, tmp_path)
    last = view.known["fits"].query("frame == 2 and track_id == 4").iloc[0]
    seen, lost = (
        np.ptp(near(written[f"frame_000{i}.png"], last.x, last.y, 5), axis=-1) for i in (2, 4)
    )
    assert 0 < (lost > 30).sum() < 0.5 * (seen > 30).sum()


def test_a_track_that_has_ended_is_not_drawn(view, tmp_path) -> None:
    for name in ("tracks", "fits"):
        table = view.known[name]
        over = (table["track_id"] == 4) & (table["frame"] > 2)
        table.loc[over, ["x", "y"]] = np.nan
        table.loc[over, "state" if name == "tracks" else "status"] = "lost"
    picture = draw(view, tmp_path, 4)
    assert count(picture, track_colour(4), 81, 60) == 0


def test_states_differ_in_their_markers(view, tmp_path) -> None:
    tracks, fits = view.known["tracks"], view.known["fits"]
    here = tracks["frame"] == 1
    fits.loc[here & (fits["track_id"] == 1), "status"] = "too_dim"
    fits.loc[here & (fits["track_id"] == 2), "status"] = "too_dim"
    tracks.loc[here & (tracks["track_id"] == 2), "state"] = "predicted"
    picture = draw(view, tmp_path, 1)
    at = tracks[here].set_index("track_id")[["x", "y"]]
    solid, dashed = (count(picture, track_colour(i), *at.loc[i], reach=6) for i in (1, 2))
    assert 0.3 * solid < dashed < 0.8 * solid


def test_the_masks_outline_is_drawn_and_what_it_hides_is_darker(view, tmp_path) -> None:
    picture = draw(view, tmp_path, 0)
    assert count(picture, RIM, 2.5, 40, reach=2) > 20  # the circle's leftmost point
    assert count(picture, RIM, 50, 40, reach=10) == 0
    unmasked = frames.FrameSequence(view.frames.source)
    flat = np.full((80, 100), 200, np.uint8)
    shown = np.asarray(Picture(flat, Shade(view.frames.valid, 2)).finish())
    assert shown[2, 2, 0] < 0.6 * shown[80, 100, 0]
    assert (np.asarray(Picture(flat, Shade(unmasked.valid, 2)).finish()) == 200).all()


def test_the_patterns_centre_is_a_cross(view, tmp_path) -> None:
    view.known["centers"][["x", "y"]] = [45.0, 42.0]
    with_cross = draw(view, tmp_path / "a", 0)
    del view.known["centers"]
    without = draw(view, tmp_path / "b", 0)
    assert count(with_cross, "#e8eaed", 45, 42, reach=2) > 20
    assert count(without, "#e8eaed", 45, 42, reach=2) == 0


def test_tracks_are_enough(view, tmp_path) -> None:
    for name in ("fits", "centers", "radii", "intensities"):
        del view.known[name]
    picture = draw(view, tmp_path, 1)
    assert count(picture, track_colour(1), 20.5, 20) > 20
    del view.known["tracks"]
    with pytest.raises(InputError, match="trackleed track"):
        export(view, tmp_path)


def test_the_overview_shows_every_path(view, tmp_path) -> None:
    overview = export(view, tmp_path)["overview.png"]
    for track_id, (x, y) in {1: (22, 20), 2: (82, 20), 3: (22, 60)}.items():
        assert count(overview, track_colour(track_id), x, y) > 20


@pytest.mark.parametrize("top", [255, 4095, 65535])
def test_grey_scale_spans_what_is_there_whatever_the_depth(top) -> None:
    rng = np.random.default_rng(0)
    frame = rng.uniform(0.1 * top, 0.9 * top, (64, 64)).astype(np.uint16)
    valid = np.ones(frame.shape, bool)
    frame[0] = top
    valid[0] = False
    grey = grey_for([frame], valid, OverlaysParams(gamma=1.0))
    levels = grey(frame)
    assert levels.dtype == np.uint8
    assert levels[1:].min() == 0
    assert levels[1:].max() == 255
    assert abs(np.median(levels[1:]) - 127) < 5


def test_pixels_that_are_not_known_are_black_and_a_flat_frame_is_no_error() -> None:
    frame = np.array([[np.nan, 5.0], [5.0, 5.0]])
    valid = np.ones((2, 2), bool)
    assert grey_for([frame], valid, OverlaysParams())(frame).max() == 0
    assert grey_for([frame], ~valid, OverlaysParams())(frame)[0, 0] == 0
    assert Grey(0, 10, 0.5)(np.array([[2.5]]))[0, 0] == 128


def test_one_grey_scale_for_the_whole_series_keeps_dim_frames_dim(view, tmp_path) -> None:
    stack = np.stack([view.frames[i] for i in range(10)])
    stack[5] //= 20
    view.frames = frames.FrameSequence(frames.ArraySource(stack))

    def level(contrast: str) -> float:
        picture = draw(view, tmp_path / contrast, 5, contrast=contrast)
        return float(near(picture, 22.5, 20, 0.6).mean())

    assert level("series") < 0.5 * level("frame")


def test_a_spots_marker_lies_on_its_pixels() -> None:
    """The middle of a drawn marker is the middle of the enlarged spot: no half pixel is lost."""
    grey = np.zeros((40, 50), np.uint8)
    grey[20, 30] = 255
    for scale in (1, 3, 8):
        shade = Shade(np.ones(grey.shape, bool), scale)
        spot = np.asarray(Picture(grey, shade).finish())[..., 0].astype(float)
        picture = Picture(np.zeros_like(grey), shade)
        picture.ellipse(30, 20, (6, 4), 0, "#ffffff")
        ring = np.asarray(picture.finish())[..., 0].astype(float)
        for axis in (0, 1):
            middles = []
            for image in (spot, ring):
                profile = image.sum(axis=1 - axis)
                middles.append((profile * np.arange(len(profile))).sum() / profile.sum())
            assert middles[0] == pytest.approx(middles[1], abs=0.3)
