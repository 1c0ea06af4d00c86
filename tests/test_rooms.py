"""The import contracts of pyproject.toml hold, and notice when they are broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [*sorted(ROOT.glob("trackleed-*/src")), ROOT / "tests/example-plugin/src"]

PLANTED = [
    ("trackleed.errors", "trackleed.tables"),
    ("trackleed.errors", "numpy"),
    ("trackleed.tables", "trackleed.backend"),
    ("trackleed.analysis", "trackleed.store"),
    ("trackleed.session", "trackleed.pipeline"),
    ("trackleed.builtin.readers", "trackleed.store"),
    ("trackleed.builtin", "trackleed.registry"),
    ("trackleed.pipeline", "trackleed_detectors"),
    ("trackleed.cli", "trackleed_gui"),
    ("trackleed_detectors", "trackleed.session"),
    ("trackleed_detectors", "trackleed_trackers_box"),
    ("trackleed_trackers_mask", "trackleed.cli"),
    ("trackleed_example", "trackleed.pipeline"),
    ("trackleed_kit", "trackleed.errors"),
    ("trackleed_kit", "pandas"),
    ("trackleed.session", "zarr"),
    ("trackleed.cli", "pluggy"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources and the contracts, to be spoilt."""
    for source in SOURCES:
        target = tmp_path / source.relative_to(ROOT)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "tests/rooms.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    sources = [str(folder / source.relative_to(ROOT)) for source in SOURCES]
    program = "from importlinter.cli import lint_imports_command as main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sources), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def file_of(folder: Path, module: str) -> Path:
    for source in SOURCES:
        path = folder / source.relative_to(ROOT) / module.replace(".", "/")
        for candidate in (path / "__init__.py", path.with_suffix(".py")):
            if candidate.is_file():
                return candidate
    raise FileNotFoundError(module)


def test_the_contracts_hold_and_see_every_import_that_breaks_them(copy: Path) -> None:
    clean = lint(copy)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    for importer, imported in PLANTED:
        with file_of(copy, importer).open("a", encoding="utf-8") as file:
            file.write(f"\nimport {imported}\n")
    file_of(copy, "trackleed.errors").with_name("attic.py").write_text("x = 1\n")
    broken = lint(copy)
    assert broken.returncode == 1
    for importer, imported in PLANTED:
        assert f"- {importer} -> {imported} (l." in broken.stdout
    assert "trackleed.attic is in no room" in broken.stdout
