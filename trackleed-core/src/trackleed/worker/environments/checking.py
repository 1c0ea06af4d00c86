"""What an environment lacks, for sure.

Its interpreter imports what is required, and if nothing is missing, a worker loads each backend.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from trackleed.backend import BackendSpec
from trackleed.errors import EnvironmentUnusable, TrackleedError
from trackleed.progress import Progress, silent
from trackleed.recipe import Checkpoint, Recipe
from trackleed.worker.environments.commands import environ
from trackleed.worker.environments.fetching import clone_command, download_command, sha256_of
from trackleed.worker.environments.looking import (
    KIT,
    Lack,
    import_folders,
    lacks_checkout,
    lacks_checkpoint,
)
from trackleed.worker.environments.model import Environment
from trackleed.worker.environments.pythons import OLDEST
from trackleed.worker.environments.sites import commit_of

PROBE = Path(__file__).with_name("probe.py")
SECONDS = 300
"""Longest that importing everything may take."""


@dataclass(frozen=True)
class Finding:
    """One thing that was checked."""

    ok: bool
    text: str
    mend: str = ""
    """Command that mends it."""


def check(
    environment: Environment, specs: Sequence[BackendSpec], progress: Progress = silent
) -> Iterator[Finding]:
    """Check an environment for some backends, finding by finding.

    Takes seconds to minutes: modules are imported, and checkpoints read for their checksums.
    """
    if environment.address and environment.python is None:
        yield Finding(True, f"a worker at {environment.address}: it is asked when it is started")
        return
    try:
        environment.interpreter  # noqa: B018 (asking for it is the check)
    except EnvironmentUnusable as error:
        yield Finding(False, error.message, error.hint or "")
        return
    well = True
    for finding in _parts(environment, specs, progress):
        well = well and finding.ok
        yield finding
    if well:
        yield from (_worker(environment, spec) for spec in specs)


def _parts(
    environment: Environment, specs: Sequence[BackendSpec], progress: Progress
) -> Iterator[Finding]:
    yield from _interpreter(environment, specs)
    for spec in specs:
        yield from _checkouts(environment, spec)
        yield from _checkpoints(environment, spec, progress)


def _worker(environment: Environment, spec: BackendSpec) -> Finding:
    """Whether a worker says hello and makes the backend with its default options."""
    from trackleed.worker.clocks import CLOCKS
    from trackleed.worker.hosting import Host, Order

    order = Order(
        label=f"{spec.name}@{environment.name}",
        factory=spec.factory,
        params=spec.params().model_dump(mode="json"),
        environment=environment,
        paths=import_folders(spec.recipe or Recipe(), environment),
    )
    try:
        host = Host(order, None, CLOCKS, lambda news: None)
        host.close()
    except TrackleedError as error:
        return Finding(False, error.message, error.hint or "")
    return Finding(True, f"a worker starts and loads {spec.name}")


def _interpreter(environment: Environment, specs: Sequence[BackendSpec]) -> Iterator[Finding]:
    """Version, modules and device, as the interpreter itself tells."""
    makers = " ".join(f"--for {spec.name}" for spec in specs if spec.recipe)
    install = f"trackleed envs install {environment.name} {makers}".rstrip()
    said, died = _ask(environment, specs)
    for line in said:
        if "python" in line:
            yield from _version(line["python"], specs)
        elif "module" in line and "error" in line:
            yield Finding(False, f"{line['module']} cannot be imported: {line['error']}", install)
        elif "module" in line:
            yield Finding(True, f"{line['module']} {line['version']}".rstrip())
        elif "devices" in line:
            yield from _device(environment.device, line["devices"])
    if died:
        last = next((x["importing"] for x in reversed(said) if "importing" in x), None)
        yield Finding(False, f"importing {last} {died}" if last else f"its python {died}", install)


def _ask(
    environment: Environment, specs: Sequence[BackendSpec]
) -> tuple[list[dict[str, Any]], str]:
    """Lines of the probe, and how it ended where that was not well."""
    modules, paths = [*KIT], list[str]()
    for spec in specs:
        recipe = spec.recipe or Recipe()
        modules += spec.requires
        paths += map(str, import_folders(recipe, environment))
        for upstream in recipe.upstreams:
            if not lacks_checkout(upstream, spec, environment):
                modules += upstream.modules
    asked = json.dumps({"modules": list(dict.fromkeys(modules)), "paths": paths})
    died = ""
    try:
        done = subprocess.run(
            [str(environment.interpreter), str(PROBE), asked],
            env=environ() | environment.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
        )
        output = done.stdout
        if done.returncode < 0:
            died = f"ended the process with signal {-done.returncode}"
        elif done.returncode:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            died = f"ended the process with exit code {done.returncode}: {''.join(last)}"
    except subprocess.TimeoutExpired as error:
        output, died = error.stdout or b"", f"took longer than {SECONDS} s"
    except OSError as error:
        output, died = b"", f"cannot be run: {error.strerror}"
    lines = output.decode(errors="replace").splitlines()
    return [json.loads(line[1:]) for line in lines if line.startswith("@{")], died


def _version(version: str, specs: Sequence[BackendSpec]) -> Iterator[Finding]:
    for who, allowed in [
        ("a worker", OLDEST),
        *((spec.name, spec.recipe.python) for spec in specs if spec.recipe),
    ]:
        if not SpecifierSet(allowed).contains(version, prereleases=True):
            yield Finding(False, f"Python {version}, but {who} needs {allowed}", "make another")
            return
    yield Finding(True, f"Python {version}")


def _device(wanted: str, found: list[str] | None) -> Iterator[Finding]:
    if found is None:
        if wanted not in ("auto", "cpu"):
            yield Finding(False, f"device {wanted} cannot be looked for without torch")
    elif wanted == "auto":
        yield Finding(True, f"device {'cuda' if 'cuda' in found else 'cpu'} (auto)")
    elif wanted in found:
        yield Finding(True, f"device {wanted}")
    else:
        yield Finding(
            False,
            f"device {wanted} is not there; torch sees {', '.join(found)}",
            "a torch built for it, or another device in its entry",
        )


def _checkouts(environment: Environment, spec: BackendSpec) -> Iterator[Finding]:
    for upstream in (spec.recipe or Recipe()).upstreams:
        lack = lacks_checkout(upstream, spec, environment)
        folder = environment.checkouts.get(upstream.name)
        if lack is None and folder is not None:
            known = "" if commit_of(folder) else ", of unknown commit: it is no git checkout"
            yield Finding(True, f"checkout {upstream.name} at {folder}{known}")
        elif lack is not None:
            absent = folder is not None and not folder.exists()
            by_hand = clone_command(upstream, folder) if folder and absent else ""
            yield _finding(lack, by_hand)


def _checkpoints(
    environment: Environment, spec: BackendSpec, progress: Progress
) -> Iterator[Finding]:
    fetch = f"trackleed envs fetch {environment.name} --for {spec.name}"
    for choice in (spec.recipe or Recipe()).by_role().values():
        lack = lacks_checkpoint(choice, spec, environment)
        folder = environment.checkpoints
        if lack is not None:
            absent = folder is not None and not (folder / choice[0].file).exists()
            yield _finding(lack, download_command(choice[0], folder) if folder and absent else "")
        elif folder is not None:
            there = [checkpoint for checkpoint in choice if (folder / checkpoint.file).is_file()]
            for checkpoint in there:
                yield _checksum(checkpoint, folder / checkpoint.file, fetch, progress)


def _checksum(checkpoint: Checkpoint, file: Path, fetch: str, progress: Progress) -> Finding:
    try:
        digest = sha256_of(file, progress)
    except OSError as error:
        return Finding(False, f"checkpoint {file} cannot be read: {error.strerror}")
    if not checkpoint.sha256:
        return Finding(True, f"checkpoint {file} (sha256 {digest}; no checksum is known for it)")
    if digest == checkpoint.sha256:
        return Finding(True, f"checkpoint {file}, sha256 right")
    return Finding(
        False,
        f"checkpoint {file} has sha256 {digest}, not {checkpoint.sha256}",
        f"rm {shlex.quote(str(file))} && {fetch}",
    )


def _finding(lack: Lack, by_hand: str) -> Finding:
    return Finding(False, lack.what, f"{lack.mend}, or: {by_hand}" if by_hand else lack.mend)
