"""Exporter ``overlays``: pictures in which the tracks can be judged by eye."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image

from trackleed.builtin.exporters._frames import (
    count_states,
    describe,
    draw_scale,
    draw_spots,
    with_caption,
)
from trackleed.builtin.exporters._grey import Grey, grey_for
from trackleed.builtin.exporters._overview import contact_sheet, overview
from trackleed.builtin.exporters._picture import Picture, Shade
from trackleed.builtin.exporters._png import png
from trackleed.builtin.exporters._relative import draw_groups
from trackleed.builtin.exporters._scene import Scene, gather
from trackleed.builtin.exporters._tables import require, written_aside
from trackleed.builtin.exporters.params import OverlaysParams

if TYPE_CHECKING:
    from trackleed.backend import View
    from trackleed.builtin.exporters._picture import Array

R = TypeVar("R")

SHEET = (4, 3)
"""Columns and rows of the contact sheet."""

CELL = 480
"""Width of one of its pictures, px."""

SAMPLE = 16
"""Frames that the common grey scale of a series is made from."""


class OverlaysExporter:
    """Draws frames with their tracks, an overview of all trajectories, and a contact sheet."""

    def __init__(self, params: OverlaysParams) -> None:
        self.params = params

    def export(self, view: View, folder: Path) -> Iterator[Path]:
        """Write ``track_visualizations/``; tracks are needed, fits and centres are shown if known.

        Relative positions, if there are any, get ``positions_overlays/``.

        Raises
        ------
        InputError
            If there are no tracks.
        """
        require(view, "tracks")
        folder = folder / "track_visualizations"
        n = len(view.frames)
        drawn = set(spread(n, self.params.max_frames))
        small = set(spread(n, SHEET[0] * SHEET[1]))
        scene = gather(view, drawn | small)
        common = self._common_grey(view) if self.params.contrast == "series" else None
        shape, valid = view.frames.shape, view.frames.valid
        large = Shade(valid, max(1, round(self.params.size / max(shape))))
        little = Shade(valid, CELL / shape[1])

        def draw(i: int) -> tuple[Array, Image.Image | None, Path | None]:
            """Grey levels of a frame, its cell of the contact sheet, its file."""
            frame = view.frames[i]
            grey = common or grey_for([frame], valid, self.params)
            levels = grey(frame)
            one = cell(view, scene, i, Picture(levels, little)) if i in small else None
            if i not in drawn:
                return levels, one, None
            path = folder / f"frame_{i:0{max(4, len(str(n - 1)))}d}.png"
            picture = Picture(levels, large)
            return levels, one, save(whole_frame(view, scene, i, picture, grey), path)

        light = np.zeros(shape, dtype=np.uint8)
        cells: list[Image.Image] = []
        for levels, one, path in _in_threads(draw, sorted(drawn | small)):
            light = np.maximum(light, levels)
            if one is not None:
                cells.append(one)
            if path is not None:
                yield path
        image = overview(Picture(np.rint(0.75 * light).astype(np.uint8), large), view.index, scene)
        yield save(image, folder / "overview.png")
        yield save(contact_sheet(cells, SHEET[0]), folder / "contact_sheet.png")
        if view.has("positions"):
            for group, i, drawing in draw_groups(view, drawn, self.params):
                name = f"group_{group:02d}_frame_{i:0{max(4, len(str(n - 1)))}d}.png"
                yield save(drawing, folder.with_name("positions_overlays") / name)

    def _common_grey(self, view: View) -> Grey:
        sample = (view.frames[i] for i in spread(len(view.frames), SAMPLE))
        return grey_for(sample, view.frames.valid, self.params)


def _in_threads(draw: Callable[[int], R], numbers: list[int]) -> Iterator[R]:
    """Results in order, a few ahead: drawing and writing pictures needs no interpreter lock."""
    threads = os.cpu_count() or 1
    pool = ThreadPoolExecutor(threads, thread_name_prefix="trackleed-draw")
    waiting: deque[Future[R]] = deque()
    try:
        for i in numbers:
            waiting.append(pool.submit(draw, i))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def whole_frame(view: View, scene: Scene, i: int, picture: Picture, grey: Grey) -> Image.Image:
    """A frame with its tracks and a full caption."""
    draw_spots(picture, scene, i, label=18)
    draw_scale(picture)
    right = f"{count_states(scene, i)}     {grey}"
    return with_caption(picture.finish(), "   ".join(describe(view.index, i)), right)


def cell(view: View, scene: Scene, i: int, picture: Picture) -> Image.Image:
    """A frame for the contact sheet."""
    draw_spots(picture, scene, i, label=13)
    return with_caption(picture.finish(), "   ".join(describe(view.index, i)), "", bar=32)


def spread(n: int, most: int) -> list[int]:
    """At most ``most`` of ``n`` frames, evenly spread, the first and the last among them."""
    return sorted({round(i) for i in np.linspace(0, n - 1, min(n, most)).tolist()})


def save(image: Image.Image, path: Path) -> Path:
    """Write a PNG file whole or not at all."""
    with written_aside(path) as aside:
        aside.write_bytes(png(image))
    return path
