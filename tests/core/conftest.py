from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from trackleed.cli import main

Call = Callable[..., tuple[int, str, str]]
BACKENDS = Path(__file__).with_name("pipeline") / "backends.py"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Run the command line in this process: exit code, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["trackleed", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.fixture(scope="session")
def plugin_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for ``sys.path`` with an installed plugin: detector ``bright``, tracker ``nearest``.

    So the core's own suite needs no other package.
    """
    site = tmp_path_factory.mktemp("site")
    shutil.copy(BACKENDS, site / "test_backends.py")
    info = site / "test_backends-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: test-backends\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[trackleed]\ntest = test_backends\n")
    return site


@pytest.fixture
def plugin(plugin_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test plugin, installed for this test and every process that it starts."""
    monkeypatch.syspath_prepend(str(plugin_path))
    monkeypatch.setenv("PYTHONPATH", str(plugin_path))
    return plugin_path


@pytest.fixture(scope="session")
def spot_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve TIFF frames, energies in their names; six spots drift by 0.5 px a frame."""
    folder = tmp_path_factory.mktemp("series") / "frames"
    folder.mkdir()
    y, x = np.mgrid[0:96, 0:128]
    rng = np.random.default_rng(5)
    for i in range(12):
        frame = np.full(x.shape, 200.0)
        for column in range(3):
            for row in range(2):
                cx, cy = 30 + 34 * column + 0.5 * i, 30 + 36 * row
                frame += 2000 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * 2.0**2))
        frame = rng.poisson(frame).astype(np.uint16)
        tifffile.imwrite(folder / f"Ag_111_{i:04d}_E{50 + i}eV.tif", frame)
    return folder
