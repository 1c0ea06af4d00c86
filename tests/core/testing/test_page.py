"""docs/write-a-backend.md: what it tells a newcomer to write passes every check."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "write-a-backend.md"
FILE = re.compile(r"^`([\w/.]+)`\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_package_on_the_page_passes_every_check(tmp_path: Path) -> None:
    files = dict(FILE.findall(PAGE.read_text(encoding="utf-8")))
    assert set(files) == {
        "pyproject.toml",
        "src/brightest/plugin.py",
        "src/brightest/tracker.py",
    }
    package = tmp_path / "site"
    for name, text in files.items():
        path = package / Path(name).relative_to("src") if "src" in name else package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (package / "brightest" / "__init__.py").touch()
    _installed(package, tomllib.loads(files["pyproject.toml"]))
    done = subprocess.run(
        [sys.executable, "-m", "trackleed", "backends", "check", "brightest"],
        env={"PYTHONPATH": str(package), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert "✓ half-pixel" in done.stdout
    assert "✓ same-in-worker" in done.stdout


def _installed(folder: Path, project: dict[str, object]) -> None:
    """What pip leaves of the package: its name, and the entry point that the page declares."""
    known = project["project"]
    assert isinstance(known, dict)
    entries = known["entry-points"]["trackleed"]
    info = folder / "trackleed_brightest-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {known['name']}\nVersion: {known['version']}\n"
    )
    lines = [f"{name} = {value}" for name, value in entries.items()]
    (info / "entry_points.txt").write_text("\n".join(["[trackleed]", *lines]) + "\n")
