from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trackleed import tables
from trackleed.frames import ArraySource, FrameSequence


class MemoryView:
    """What an exporter is shown, without a session: tables in memory."""

    block = 4
    path = Path("Ir(111).trackleed")

    def __init__(self, frames: FrameSequence, index: pd.DataFrame, **known: pd.DataFrame) -> None:
        self.frames = frames
        self.index = index
        self.known = known

    def has(self, table: str) -> bool:
        return table in self.known

    def table(self, table: str) -> pd.DataFrame:
        return self.known[table]

    def blocks(self, *names: str) -> Iterator[tuple[pd.DataFrame, ...]]:
        for first in range(0, len(self.index), self.block):
            span = range(first, first + self.block)
            yield tuple(
                self.known[n][self.known[n]["frame"].isin(span)].reset_index(drop=True)
                for n in names
            )


def make_index(n: int) -> pd.DataFrame:
    nothing = np.full(n, np.nan)
    columns = {c.name: nothing for c in tables.INDEX.columns}
    columns |= {
        "frame": np.arange(n),
        "source": np.array([f"Ir, (111) {i}.tif" for i in range(n)]),
        "energy_eV": 50 + 0.1 * np.arange(n),
    }
    return tables.build(tables.INDEX, columns)


def make_tables(x: np.ndarray, y: np.ndarray, sigma: float) -> dict[str, pd.DataFrame]:
    """Tables of spots at known places, arrays (frame, track); NaN where a track is lost."""
    n, m = x.shape
    frame, track = (a.ravel() for a in np.mgrid[:n, 1 : m + 1])
    x, y = x.ravel(), y.ravel()
    lost = np.isnan(x)
    key = {"frame": frame, "track_id": track}

    def values(spec: tables.TableSpec, known: dict[str, object]) -> pd.DataFrame:
        rows = {c.name: np.where(lost, np.nan, 1.0 + frame + 0.1 * track) for c in spec.columns}
        return tables.build(spec, rows | key | known)

    size = np.where(lost, np.nan, 8 * sigma)
    return {
        "tracks": values(
            tables.TRACKS,
            {"x": x, "y": y, "width": size, "height": size}
            | {"state": np.where(lost, "lost", "measured")},
        ),
        "fits": values(
            tables.FITS,
            {"x": x + 0.25, "y": y - 0.25, "sigma_x": size / 8, "sigma_y": size / 8}
            | {"status": np.where(lost, "lost", "ok"), "saturated": np.zeros(n * m, bool)}
            | {"theta_deg": size * 0},
        ),
        "radii": values(tables.RADII, {}),
        "intensities": values(tables.INTENSITIES, {}),
        "centers": tables.build(
            tables.CENTERS,
            {name: np.arange(n) + 0.5 for name in ("x", "y", "x_err", "y_err", "rms")}
            | {"frame": np.arange(n), "n_spots": np.full(n, m), "mode": np.full(n, "pairs")},
        ),
    }


@pytest.fixture
def view() -> MemoryView:
    """Ten frames, 80 x 100 px, of four drifting spots; the last is lost in frames 3 to 5."""
    n, sigma = 10, 2.0
    drift = np.arange(n)[:, None]
    x = np.array([20.0, 80.0, 20.0, 80.0]) + 0.5 * drift
    y = np.array([20.0, 20.0, 60.0, 60.0]) + 0 * drift
    rows, columns = np.mgrid[:80, :100]
    distance2 = (columns - x[..., None, None]) ** 2 + (rows - y[..., None, None]) ** 2
    light = np.exp(-distance2 / (2 * sigma**2)).sum(axis=1)
    frames = (200 + 20000 * light).astype(np.uint16)
    x[3:6, 3] = y[3:6, 3] = np.nan
    valid = (columns - 50) ** 2 + (rows - 40) ** 2 < 48**2
    index = make_index(n)
    sequence = FrameSequence(ArraySource(frames), valid=valid)
    return MemoryView(sequence, index, **make_tables(x, y, sigma))
