"""What is installed in an environment, told from its folders: no process is started."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

BESIDE_PYTHON = (
    "lib/python3*/site-packages",
    "lib64/python3*/site-packages",
    "lib/python3*/dist-packages",
    "local/lib/python3*/dist-packages",
    "Lib/site-packages",
)
_ENDINGS = (".py", ".so", ".pyd")


def has_module(module: str, folders: tuple[Path, ...]) -> bool:
    """Whether one of the folders holds a top-level module or package of that name."""
    if module in sys.stdlib_module_names:
        return True
    return any(module in _modules(folder) for folder in folders)


def _modules(folder: Path) -> frozenset[str]:
    try:
        return _modules_at(folder, folder.stat().st_mtime_ns)
    except OSError:
        return frozenset()


@lru_cache
def _modules_at(folder: Path, changed: int) -> frozenset[str]:
    """Names that can be imported from a folder as it was when it last changed."""
    with os.scandir(folder) as entries:
        return frozenset(
            entry.name.partition(".")[0]
            for entry in entries
            if entry.name.endswith(_ENDINGS) or ("." not in entry.name and entry.is_dir())
        )


def site_folders(python: Path) -> tuple[Path, ...]:
    """Folders that an interpreter imports from, besides its standard library.

    Those of a system, a virtual or a conda environment, with the folders that ``.pth`` files
    name. What an editable install finds by code of its own is not seen.
    """
    bases = [python.parent.parent, python.parent]  # conda on Windows has python.exe at its root
    settings = _settings(python)
    if settings.get("include-system-site-packages") == "true" and "home" in settings:
        home = Path(settings["home"])
        bases += [home.parent, home]
    found = [path for base in bases for pattern in BESIDE_PYTHON for path in base.glob(pattern)]
    named = [path for folder in found for path in _named_in_pth(folder)]
    return tuple(dict.fromkeys([*found, *named]))


def _settings(python: Path) -> dict[str, str]:
    """``pyvenv.cfg``, empty where the interpreter is in no virtual environment."""
    for folder in (python.parent.parent, python.parent):
        try:
            lines = (folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        pairs = (line.partition("=") for line in lines)
        return {key.strip().lower(): value.strip() for key, _, value in pairs}
    return {}


def _named_in_pth(folder: Path) -> list[Path]:
    lines = [
        line.strip()
        for file in sorted(folder.glob("*.pth"))
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    named = (folder / line for line in lines if line and not line.startswith(("#", "import")))
    return [path for path in named if path.is_dir()]


def commit_of(checkout: Path) -> str | None:
    """Commit that a git checkout is at; None where that cannot be told."""
    git = checkout / ".git"
    try:
        if git.is_file():  # a worktree: a line that says where its folder is
            git = checkout / git.read_text(encoding="utf-8").partition("gitdir:")[2].strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref:"):
            return head
        return _commit_of_ref(git, head.partition("ref:")[2].strip())
    except OSError:
        return None


def _commit_of_ref(git: Path, ref: str) -> str | None:
    common = git / "commondir"
    folder = git / common.read_text(encoding="utf-8").strip() if common.exists() else git
    if (folder / ref).exists():
        return (folder / ref).read_text(encoding="utf-8").strip()
    for line in (folder / "packed-refs").read_text(encoding="utf-8").splitlines():
        commit, _, name = line.partition(" ")
        if name == ref:
            return commit
    return None
