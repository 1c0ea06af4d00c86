"""``pytest --trackleed-backend=NAME`` in somebody's package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_the_checks_run_as_tests_of_their_own_names(tmp_path: Path) -> None:
    done = pytest(tmp_path, "--trackleed-backend=exporter:csv", "-v")
    assert done.returncode == 0, done.stdout
    assert "test_backend[exporter:csv-files-inside] PASSED" in done.stdout


def test_they_run_beside_the_tests_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_own():\n    assert True\n")
    done = pytest(tmp_path, "test_own.py", "--trackleed-backend=parquet", "-v")
    assert done.returncode == 0, done.stdout
    assert "test_own.py::test_own PASSED" in done.stdout
    assert "test_backend[parquet-again] PASSED" in done.stdout


def test_a_name_that_is_not_installed_ends_in_one_line(tmp_path: Path) -> None:
    done = pytest(tmp_path, "--trackleed-backend=nobody")
    assert done.returncode != 0
    assert "no backend is called 'nobody'; installed: " in done.stdout + done.stderr
    assert "Traceback" not in done.stdout


def test_without_the_option_nothing_is_added(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_own():\n    assert True\n")
    done = pytest(tmp_path)
    assert "1 passed" in done.stdout
