"""Checkouts and checkpoints: fetched when asked for, named with the command otherwise.

Each is made beside its place and renamed into it, so that what is there is whole. What is
there already is never changed.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
from collections.abc import Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from trackleed import __version__
from trackleed.backend import BackendSpec
from trackleed.errors import EnvironmentUnusable
from trackleed.progress import Progress, silent
from trackleed.recipe import Checkpoint, Recipe, Upstream
from trackleed.worker.environments.commands import Tell, run
from trackleed.worker.environments.looking import lacks_checkout, lacks_checkpoint
from trackleed.worker.environments.model import Environment, data_folder
from trackleed.worker.environments.registering import change_entry

_BLOCK = 1 << 20
_SCHEMES = ("https", "http", "file")


def by_hand(environment: Environment, spec: BackendSpec) -> list[str]:
    """Commands that fetch what an environment lacks altogether for a backend."""
    recipe = spec.recipe or Recipe()
    commands = [
        clone_command(upstream, folder)
        for upstream in recipe.upstreams
        if (folder := environment.checkouts.get(upstream.name)) and not folder.exists()
    ]
    folder = environment.checkpoints
    if folder is not None:
        commands += [
            download_command(choice[0], folder)
            for choice in recipe.by_role().values()
            if not any((folder / checkpoint.file).exists() for checkpoint in choice)
        ]
    return commands


def fetch_checkouts(
    environment: Environment, specs: Sequence[BackendSpec], tell: Tell
) -> Environment:
    """Clone every repository whose checkout is missing; the environment, with all of them named.

    Raises
    ------
    EnvironmentUnusable
        If a checkout is at another commit, or git fails.
    """
    upstreams = {
        upstream.name: upstream
        for spec in specs
        for upstream in (spec.recipe or Recipe()).upstreams
        if lacks_checkout(upstream, spec, environment)
    }
    for name, upstream in upstreams.items():
        folder = environment.checkouts.get(name, data_folder() / "checkouts" / name)
        clone(upstream, folder, folder.with_name(f"{name}.log"), tell)
        if name not in environment.checkouts:
            checkouts = {**environment.checkouts, name: folder}
            environment = change_entry(environment, checkouts=checkouts)
    return environment


def fetch_checkpoints(
    environment: Environment, specs: Sequence[BackendSpec], progress: Progress = silent
) -> Iterator[tuple[Path, str]]:
    """Download every checkpoint that is missing, of alternatives the first.

    Yields
    ------
    (Path, str)
        Each file and its sha256.

    Raises
    ------
    EnvironmentUnusable
        If a download fails, or is not what the recipe says.
    """
    choices = {
        choice[0].file: choice[0]
        for spec in specs
        for choice in (spec.recipe or Recipe()).by_role().values()
        if lacks_checkpoint(choice, spec, environment)
    }
    folder = environment.checkpoints
    if choices and folder is None:
        folder = data_folder() / "checkpoints"
        change_entry(environment, checkpoints=folder)
    for checkpoint in choices.values():
        assert folder is not None  # there is one as soon as there is a choice
        yield folder / checkpoint.file, download(checkpoint, folder, progress)


def clone_command(upstream: Upstream, folder: Path) -> str:
    """The command that makes a checkout."""
    place = shlex.quote(str(folder))
    return (
        f"git clone {shlex.quote(upstream.repository)} {place}"
        f" && git -C {place} checkout {upstream.commit}"
    )


def download_command(checkpoint: Checkpoint, folder: Path) -> str:
    """The command that downloads a checkpoint and, where its checksum is known, checks it."""
    place = shlex.quote(str(folder / checkpoint.file))
    download = f"curl -L --fail --create-dirs -o {place} {shlex.quote(checkpoint.address)}"
    if not checkpoint.sha256:
        return download
    return f"{download} && echo {shlex.quote(checkpoint.sha256)} {place} | sha256sum -c"


def clone(upstream: Upstream, folder: Path, log: Path, tell: Tell) -> None:
    """Check out a repository at its commit.

    Raises
    ------
    EnvironmentUnusable
        If the folder is there already, or git fails.
    """
    if folder.exists():
        raise EnvironmentUnusable(
            f"{folder} is there already, and not changed",
            f"git -C {folder} fetch && git -C {folder} checkout {upstream.commit}",
        )
    if shutil.which("git") is None:
        raise EnvironmentUnusable("git is not installed", "install it, or name a checkout")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    # Files of other commits, often large ones, stay with the server.
    options = ["--progress", "--no-checkout", "--filter=blob:none"]
    try:
        stage = f"clone {upstream.name}"
        run(stage, ["git", "clone", *options, "--", upstream.repository, part], log, tell)
        run(stage, ["git", "-C", part, "checkout", "--detach", upstream.commit], log, tell)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def download(checkpoint: Checkpoint, folder: Path, progress: Progress = silent) -> str:
    """Download a checkpoint; it is put in its place only if size and checksum are right.

    Parameters
    ----------
    checkpoint : Checkpoint
        What to download.
    folder : Path
        Where to.
    progress : callable
        Told the megabytes received.

    Returns
    -------
    str
        Its sha256.

    Raises
    ------
    EnvironmentUnusable
        If it cannot be downloaded or written, or is not what the recipe says.
    """
    if urlsplit(checkpoint.address).scheme not in _SCHEMES:
        raise EnvironmentUnusable(
            f"{checkpoint.address} cannot be downloaded; allowed: {', '.join(_SCHEMES)}"
        )
    place = folder / checkpoint.file
    if place.exists():
        raise EnvironmentUnusable(f"{place} is there already, and not changed", f"rm {place}")
    part = folder / f".{checkpoint.file}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digest = _receive(checkpoint, part, progress)
        if checkpoint.sha256 not in ("", digest):
            raise EnvironmentUnusable(
                f"{checkpoint.address} has sha256 {digest}, not {checkpoint.sha256}; not kept",
                "try again later; if it stays so, the file was changed upstream: report it",
            )
        part.replace(place)
    except URLError as error:
        raise EnvironmentUnusable(
            f"{checkpoint.address} cannot be downloaded: {error.reason}",
            f"download it elsewhere and put it at {place}",
        ) from error
    except (OSError, HTTPException) as error:
        raise EnvironmentUnusable(f"{place} cannot be downloaded: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return digest


def sha256_of(file: Path, progress: Progress = silent) -> str:
    """Checksum of a file."""
    digest, done, total = hashlib.sha256(), 0, file.stat().st_size
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            done += len(block)
            progress(f"read {file.name} (MB)", done // _BLOCK, total // _BLOCK)
    return digest.hexdigest()


def _receive(checkpoint: Checkpoint, part: Path, progress: Progress) -> str:
    """Write what comes to ``part``; the checksum of it."""
    request = Request(checkpoint.address, headers={"User-Agent": f"trackleed/{__version__}"})
    digest, done = hashlib.sha256(), 0
    with urlopen(request, timeout=60) as answer, part.open("wb") as file:
        if answer.headers.get_content_type() == "text/html":
            raise EnvironmentUnusable(
                f"{checkpoint.address} gives a web page, not a file",
                "open it in a browser; it may want a login or a click",
            )
        total = int(answer.headers.get("Content-Length") or checkpoint.size)
        while block := answer.read(_BLOCK):
            file.write(block)
            digest.update(block)
            done += len(block)
            progress(f"{checkpoint.file} (MB)", done // _BLOCK, total // _BLOCK)
    if done != (checkpoint.size or total or done):
        raise EnvironmentUnusable(
            f"{checkpoint.address} gave {done} bytes, not {checkpoint.size or total}; not kept",
            "try again",
        )
    return digest.hexdigest()
