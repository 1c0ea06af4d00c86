from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest


def spots() -> pd.DataFrame:
    """Where the spots of ``spot_folder`` are, as a table made by hand."""
    rows = [
        (i, 1 + 2 * column + row, 30 + 34 * column + 0.5 * i, 30 + 36 * row)
        for i in range(12)
        for column in range(3)
        for row in range(2)
    ]
    return pd.DataFrame(rows, columns=["frame", "track_id", "x", "y"])


@pytest.fixture(scope="session")
def labelled_folder(spot_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames with ``labels.csv`` beside them."""
    folder = tmp_path_factory.mktemp("labelled") / "six-spots"
    shutil.copytree(spot_folder, folder)
    spots().to_csv(folder / "labels.csv", index=False)
    return folder
