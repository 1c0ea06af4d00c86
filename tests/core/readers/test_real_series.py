"""The measured series, against their README and logs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trackleed import tables
from trackleed.builtin.readers.series import Series

OpenSeries = Callable[..., Series]
pytestmark = pytest.mark.real_data


def test_mos2(real_data: Path, open_series: OpenSeries) -> None:
    series = open_series(real_data / "mos2_uleed")
    assert (len(series), series.shape, series.dtype) == (260, (544, 576), np.uint8)
    np.testing.assert_allclose(series.index["energy_eV"], 20.5 + 0.5 * np.arange(260))
    assert set(series.index["element"]) == {"MoS2"}
    alone = open_series(real_data / "mos2_uleed", index_csv="none").index["energy_eV"]
    np.testing.assert_array_equal(series.index["energy_eV"], alone)


def test_ir111_from_its_logs(real_data: Path, open_series: OpenSeries) -> None:
    folder = real_data / "ir111_lab"
    series = open_series(folder)
    assert (series.shape, series.dtype) == ((576, 720), np.uint16)
    energies = [187, 168, 102, 220, 304]
    assert list(series.index["energy_eV"]) == energies + energies[::-1][:2] + [102, 168, 187]
    assert list(series.index["time_s"][:3]) == [0, 50, 114]
    assert series.index["temperature_K"][0] == pytest.approx(273.15 + 61.7)
    assert series.index["source"][7] == "LEED_2025_04_14_007 (1).tiff"
    assert len(open_series(folder / "LEED_2025_04_14_00[0-4]*.tiff")) == 5


def test_graphene_from_its_logs(real_data: Path, open_series: OpenSeries) -> None:
    index = open_series(real_data / "graphene_ir_moire").index
    assert list(index["energy_eV"]) == [50, 168, 102, 220, 304, 231, 163, 172, 143, 120, 74]
    assert index["temperature_K"].between(93, 102).all()
    assert index["n_averaged"].eq(50).all()


@pytest.mark.parametrize(
    ("path", "count", "shape"),
    [
        ("rheed_sb_deposition", 26, (1038, 1388)),
        ("single", 1, (1200, 1920)),
        ("single/leed_gun_shadow.png", 1, (1200, 1920)),
    ],
)
def test_series_that_say_nothing_stay_unknown(
    real_data: Path, open_series: OpenSeries, path: str, count: int, shape: tuple[int, int]
) -> None:
    series = open_series(real_data / path)
    assert (len(series), series.shape) == (count, shape)
    assert series.index["energy_eV"].isna().all()
    assert tables.check(series.index, tables.INDEX) is series.index
    assert series.read(count - 1).shape == shape
