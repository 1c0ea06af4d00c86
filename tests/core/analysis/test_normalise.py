from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trackleed.analysis.normalise import normalise, unit


def make(exposure: list[float], current: list[float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tracks in each frame, of 100 and 200 counts with errors of 4 and 8."""
    n = len(exposure)
    intensities = pd.DataFrame(
        {
            "frame": np.repeat(np.arange(n), 2),
            "track_id": np.tile([1, 2], n),
            "intensity": np.tile([100.0, 200.0], n),
            "intensity_err": np.tile([4.0, 8.0], n),
        }
    )
    columns = {"frame": np.arange(n), "exposure_s": exposure, "beam_current_A": current}
    return intensities, pd.DataFrame(columns)


NAN = float("nan")


def test_counts_are_divided_by_exposure_and_current() -> None:
    intensities, index = make([0.5, 2.0], [1e-6, 2e-6])
    found = normalise(intensities, index)
    np.testing.assert_allclose(found["intensity_norm"], [2e8, 4e8, 2.5e7, 5e7])
    np.testing.assert_allclose(found["intensity_norm_err"], [8e6, 16e6, 1e6, 2e6])
    assert set(found["by"]) == {"exposure_s and beam_current_A"}
    assert unit(found["by"][0]) == "counts/(s A)"
    assert found[["frame", "track_id"]].equals(intensities[["frame", "track_id"]])


def test_only_what_is_known_is_divided_by() -> None:
    found = normalise(*make([0.5, 2.0], [NAN, NAN]))
    np.testing.assert_allclose(found["intensity_norm"], [200, 400, 50, 100])
    assert set(found["by"]) == {"exposure_s"}
    assert unit("exposure_s") == "counts/s"
    assert unit("beam_current_A") == "counts/A"


def test_without_anything_known_nothing_is_invented() -> None:
    found = normalise(*make([NAN, NAN], [NAN, NAN]))
    assert found["intensity_norm"].isna().all()
    assert found["intensity_norm_err"].isna().all()
    assert set(found["by"]) == {""}
    assert unit("") == "counts"


@pytest.mark.parametrize("gap", [NAN, 0.0, -1.0])
def test_a_quantity_known_in_some_frames_only_is_not_used(gap: float) -> None:
    found = normalise(*make([0.5, gap], [1e-6, 2e-6]))
    assert set(found["by"]) == {"beam_current_A"}
    np.testing.assert_allclose(found["intensity_norm"], [1e8, 2e8, 5e7, 1e8])


def test_an_unknown_intensity_stays_unknown() -> None:
    intensities, index = make([0.5, 2.0], [NAN, NAN])
    intensities.loc[1, ["intensity", "intensity_err"]] = NAN
    found = normalise(intensities, index)
    assert found["intensity_norm"].isna().tolist() == [False, True, False, False]


def test_the_volume_of_a_fit_is_divided_alike() -> None:
    intensities, index = make([0.5, 2.0], [NAN, NAN])
    volumes = intensities.rename(columns=lambda name: name.replace("intensity", "volume"))
    found = normalise(volumes, index, of="volume")
    np.testing.assert_allclose(found["volume_norm"], [200, 400, 50, 100])


def test_an_empty_table_is_no_mistake() -> None:
    intensities, index = make([0.5], [NAN])
    assert len(normalise(intensities.iloc[:0], index)) == 0
