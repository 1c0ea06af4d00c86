"""What an adapter asks about the place where it runs: device, checkpoints, upstream checkouts.

The answers come from environment variables, which trackleed sets for a worker from its
``envs.toml``; set by hand they work in process too::

    TRACKLEED_DEVICE=cuda:0
    TRACKLEED_CHECKPOINTS=/data/weights
    TRACKLEED_CHECKOUT_CO_TRACKER=/home/me/src/co-tracker
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Dict, List, Mapping, Optional

from trackleed_kit.errors import NotReady

DEVICE = "TRACKLEED_DEVICE"
CHECKPOINTS = "TRACKLEED_CHECKPOINTS"
CHECKOUT = "TRACKLEED_CHECKOUT_"

_noted = threading.local()


def variables(
    device: str, checkpoints: Optional[Path], checkouts: Mapping[str, Path]
) -> Dict[str, str]:
    """The environment variables that give these answers."""
    found = {DEVICE: device}
    if checkpoints is not None:
        found[CHECKPOINTS] = str(checkpoints)
    found.update({_variable(name): str(folder) for name, folder in checkouts.items()})
    return found


def device(asked: str = "auto") -> str:
    """The torch device to use: what the user asked for, else the environment's, else the best.

    Parameters
    ----------
    asked : str
        The backend's option; ``"auto"`` or empty leaves it to the environment.
    """
    for said in (asked, os.environ.get(DEVICE, "")):
        if said not in ("", "auto"):
            return said
    try:
        torch = import_module("torch")
    except ImportError:
        return "cpu"
    return "cuda" if torch.cuda.is_available() else "cpu"


def checkpoint(filename: str, asked: str = "") -> Path:
    """A checkpoint file, whose sha256 is noted in the step.

    Parameters
    ----------
    filename : str
        What upstream calls it; looked for in the environment's checkpoint folder.
    asked : str
        The backend's option: a path, or another file name in that folder; empty for none.

    Raises
    ------
    NotReady
        If it is not there. Nothing is ever downloaded.
    """
    folder = os.environ.get(CHECKPOINTS, "")
    path = Path(asked or filename).expanduser()
    if not path.is_absolute() and not (asked and path.is_file()):
        if not folder:
            raise NotReady(
                "no folder of checkpoints is known, so %s cannot be found" % path,
                "name the folder: checkpoints = ... in envs.toml, or %s" % CHECKPOINTS,
            )
        path = Path(folder).expanduser() / path
    if not path.is_file():
        raise NotReady("checkpoint %s is not there" % path, "see: trackleed envs")
    note("checkpoint %s sha256 %s" % (path.name, sha256(path)))
    return path


def checkout(name: str, folder: str = "") -> Path:
    """The folder of an upstream checkout, which can be imported from afterwards.

    Parameters
    ----------
    name : str
        What the recipe calls it, such as ``"co-tracker"``.
    folder : str
        Folder inside it that is imported from, as the recipe has it; empty for its root.

    Raises
    ------
    NotReady
        If none is known, or it is not there.
    """
    said = os.environ.get(_variable(name), "")
    if not said:
        raise NotReady(
            "no checkout of %s is known" % name,
            "name it: checkouts = { %s = ... } in envs.toml, or %s" % (name, _variable(name)),
        )
    root = Path(said).expanduser()
    if not root.is_dir():
        raise NotReady("checkout of %s is not there: %s" % (name, root), "see: trackleed envs")
    if str(root / folder) not in sys.path:
        sys.path.insert(0, str(root / folder))
    return root


def sha256(path: Path) -> str:
    """Checksum of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def note(text: str) -> None:
    """Have something kept with the step that the backend works for. One line."""
    if not hasattr(_noted, "texts"):
        _noted.texts = []
    if text not in _noted.texts:
        _noted.texts.append(text)


def take_notes() -> List[str]:
    """What was noted in this thread since the last call."""
    texts: List[str] = getattr(_noted, "texts", [])
    _noted.texts = []
    return texts


def _variable(name: str) -> str:
    return CHECKOUT + re.sub("[^A-Z0-9]", "_", name.upper())
