"""Exporter ``yolo``: images and labels to train a detector of the YOLO kind with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from trackleed.builtin.exporters._grey import Grey, grey_for
from trackleed.builtin.exporters._tables import require, write_text, written_aside
from trackleed.builtin.exporters.params import YoloParams
from trackleed.errors import InputError
from trackleed.tables import SEEN

if TYPE_CHECKING:
    from trackleed.backend import View

SAMPLE = 16
"""Frames that the grey scale of the series is made from."""


class YoloExporter:
    """Writes a data set in the layout of Ultralytics: images, label files, ``data.yaml``."""

    def __init__(self, params: YoloParams) -> None:
        self.params = params

    def export(self, view: View, folder: Path) -> Iterator[Path]:
        """Write ``yolo/``: every frame as an 8-bit PNG, and a line for each spot seen in it.

        Raises
        ------
        InputError
            If there are neither tracks nor detections, or not those asked for; if a spot has
            no box.
        """
        spots, folder = self._spots(view), folder / "yolo"
        n, (height, width) = len(view.frames), view.frames.shape
        sample = (view.frames[round(i)] for i in np.linspace(0, n - 1, min(n, SAMPLE)))
        grey = grey_for(sample, view.frames.valid, self.params)
        for i in range(n):
            part, name = self._part(i, n), f"{view.path.stem}_{i:0{max(4, len(str(n - 1)))}d}"
            yield _save(grey(view.frames[i]), folder / "images" / part / f"{name}.png")
            boxes = spots[spots["frame"] == i]
            lines = _lines(boxes, width, height)
            yield write_text(folder / "labels" / part / f"{name}.txt", "".join(lines))
        yield write_text(folder / "data.yaml", self._yaml(grey))

    def _spots(self, view: View) -> pd.DataFrame:
        table = self.params.labels
        if table == "auto":
            table = "tracks" if view.has("tracks") else "detections"
        require(view, table)
        spots = view.table(table)
        if table == "tracks":
            spots = spots[spots["state"].isin(SEEN) & spots["x"].notna()]
        boxed = spots["width"].gt(0) & spots["height"].gt(0)
        if not boxed.all():
            frame = int(spots.loc[~boxed, "frame"].iloc[0])
            raise InputError(f"a spot in frame {frame} has no width and height, and so no box")
        return spots

    def _part(self, i: int, n: int) -> str:
        """Whether a frame trains or validates."""
        kept = round(self.params.validation * n)
        # Counted up evenly: each time the count rises, a frame goes to validation.
        return "val" if (i + 1) * kept // n > i * kept // n else "train"

    def _yaml(self, grey: Grey) -> str:
        validation = "val" if self.params.validation else "train"
        return (
            f"# Grey levels of the images: {grey}. Frames to be searched need the same.\n"
            "train: images/train\n"
            f"val: images/{validation}\n"
            "names:\n  0: spot\n"
        )


def _lines(spots: pd.DataFrame, width: int, height: int) -> Iterator[str]:
    """Class, centre and size of each box as shares of the image, cut off at its edges."""
    for spot in spots[["x", "y", "width", "height"]].to_numpy():
        half = spot[2:] / 2
        # An integer is a pixel's centre; an image begins half a pixel before it.
        low = np.clip((spot[:2] + 0.5 - half) / (width, height), 0, 1)
        high = np.clip((spot[:2] + 0.5 + half) / (width, height), 0, 1)
        numbers = [*((low + high) / 2), *(high - low)]
        yield "0 " + " ".join(f"{number:.6f}" for number in numbers) + "\n"


def _save(levels: np.ndarray, path: Path) -> Path:
    with written_aside(path) as aside:
        Image.fromarray(levels).save(aside, format="PNG", compress_level=4)
    return path
