"""How to make an environment for a backend: what to install, check out and fetch.

Plain data in the light module that describes a backend. Nothing here is acted on unless the
user asks: ``trackleed envs create`` installs, and ``--fetch`` downloads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Upstream:
    """Somebody's repository, at one commit.

    Parameters
    ----------
    name : str
        Key of its folder among an environment's ``checkouts``.
    repository : str
        Address that ``git clone`` takes.
    commit : str
        Full hash, 40 hexadecimal digits.
    modules : tuple of str
        Top-level modules that are imported from it.
    folder : str
        Folder inside it that goes on ``sys.path``; empty for its root.
    """

    name: str
    repository: str
    commit: str
    modules: tuple[str, ...] = ()
    folder: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{40}", self.commit):
            raise ValueError(f"upstream {self.name!r}: {self.commit!r} is not a full commit hash")


@dataclass(frozen=True)
class Checkpoint:
    """One file of weights.

    Parameters
    ----------
    file : str
        Its name in an environment's folder of checkpoints.
    address : str
        Where it can be downloaded: ``https``, ``http`` or ``file``.
    sha256 : str
        Checksum, 64 hexadecimal digits; empty where none is known.
    size : int
        Bytes; 0 where not known.
    licence : str
        Of the weights; empty where upstream does not say.
    commercial : bool, optional
        Whether they may be used commercially; None where that is not clear.
    role : str
        Files of one role are alternatives, of which one is enough; the first is the default.
    """

    file: str
    address: str
    sha256: str = ""
    size: int = 0
    licence: str = ""
    commercial: bool | None = None
    role: str = "weights"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.+-]+", self.file) or self.file.startswith("."):
            raise ValueError(f"checkpoint {self.file!r} is not a plain file name")
        if not re.fullmatch("([0-9a-f]{64})?", self.sha256):
            raise ValueError(f"checkpoint {self.file!r}: {self.sha256!r} is no sha256")


@dataclass(frozen=True)
class Recipe:
    """What an environment needs for one backend.

    Parameters
    ----------
    python : str
        Range of versions, as in ``">=3.9,<3.13"``; empty for any that the worker runs in.
    requirements : tuple of str
        Each is what follows ``pip install``, in this order and quoted as for a shell:
        ``"torch==2.13.0"``, then ``"--no-deps sam2==1.1.0"``.
    upstreams : tuple of Upstream
        Repositories that it imports from a checkout.
    checkpoints : tuple of Checkpoint
        Its weights.
    variables : mapping of str to str
        Environment variables that the worker must have, such as ones that forbid downloads.
    commercial : bool, optional
        Whether the code may be used commercially; None where that is not clear. Its licence is
        the spec's.
    notes : str
        What else a user must know, such as weights that upstream gives only on request.
    """

    python: str = ""
    requirements: tuple[str, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    commercial: bool | None = None
    notes: str = ""

    def by_role(self) -> dict[str, list[Checkpoint]]:
        """The checkpoints by role, the default first."""
        roles: dict[str, list[Checkpoint]] = {}
        for checkpoint in self.checkpoints:
            roles.setdefault(checkpoint.role, []).append(checkpoint)
        return roles
