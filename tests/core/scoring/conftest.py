from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trackleed.scoring import by_hand


def table(n_spots: int = 3, n_frames: int = 10) -> pd.DataFrame:
    """Spots 50 px apart that go 1 px a frame to the right, as a ``tracks`` table has them."""
    frame, spot = np.divmod(np.arange(n_spots * n_frames), n_spots)
    return pd.DataFrame(
        {
            "frame": frame,
            "track_id": spot + 1,
            "x": 50.0 * spot + frame,
            "y": 20.0 + 0 * frame,
            "state": "measured",
        }
    )


@pytest.fixture
def tracks() -> pd.DataFrame:
    return table()


@pytest.fixture
def labels() -> pd.DataFrame:
    return by_hand(table())
