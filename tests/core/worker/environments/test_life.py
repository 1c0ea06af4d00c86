"""An environment's life on the command line: made, checked, mended and removed, for real."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from trackleed.errors import EnvironmentUnusable
from trackleed.recipe import Checkpoint
from trackleed.worker.environments import load_environments
from trackleed.worker.environments.fetching import download

Call = Callable[..., tuple[int, str, str]]
HERE = Path()


def test_from_nothing_to_ready_to_gone(call: Call, world: Any) -> None:
    code, out, err = call("envs", "create", "up", "--for", "upnet", "--device", "cpu")
    assert code == 0, err
    assert "install --no-deps farlib==1.0" in err
    clone = f"git clone {world.repository} {world.home}/checkouts/upnet"
    assert clone in out  # said, not done
    assert f"curl -L --fail --create-dirs -o {world.home}/checkpoints/up.pt" in out
    assert not (world.home / "checkouts").exists()

    code, out, _ = call("envs", "check", "up")
    assert code == 1
    assert "ok  farlib 1.0" in out
    assert f"no  checkout of upnet is not at {world.home}/checkouts/upnet" in out
    assert "trackleed envs fetch up --for upnet" in out
    assert "in up: checkout of upnet is not" in call("backends")[1]

    code, out, err = call("envs", "fetch", "up")
    assert code == 0, err
    assert f"fetched {world.home}/checkpoints/up.pt, sha256 {world.sha256}" in out
    assert "upnet is ready: upnet@up" in out
    code, out, _ = call("envs", "check", "up", "--json")
    findings = {finding["text"]: finding["ok"] for finding in json.loads(out)}
    assert code == 1
    assert not findings.popitem()[1]  # zmq is not the real one: no worker starts
    assert all(findings.values())
    assert findings["upnet first"]  # the commit of the recipe, not the newest
    assert findings[f"checkpoint {world.home}/checkpoints/up.pt, sha256 right"]
    states = {b["name"]: b for b in json.loads(call("backends", "--json")[1])["backends"]}
    assert states["upnet"]["state"] == "ready in up (upnet@up)"
    assert load_environments(HERE)["up"].variables == {"UPNET_OFFLINE": "1"}

    folder = world.home / "envs" / "up"
    code, out, err = call("envs", "create", "up", "--for", "farnet")
    assert (code, "has an environment 'up' already" in err) == (1, True)
    code, out, _ = call("envs", "remove", "up", "--yes")
    assert (code, folder.exists(), load_environments(HERE)) == (0, False, {})
    assert (world.home / "checkpoints" / "up.pt").exists()


def test_an_environment_of_somebody_else_is_listed_and_never_deleted(
    call: Call, world: Any, fake: Callable[..., Path], tmp_path: Path
) -> None:
    python = fake(tmp_path / "theirs")
    assert call("envs", "add", "mine", "--python", python, "--project")[0] == 0
    assert Path("envs.toml").exists()
    assert "mine" in call("envs", "list")[1]
    assert [e["name"] for e in json.loads(call("envs", "list", "--json")[1])] == ["mine"]
    assert call("envs", "remove", "mine", "--yes")[0] == 0
    assert python.exists()
    assert load_environments(HERE) == {}


def test_files_that_are_there_already_are_named_and_used(
    call: Call, world: Any, fake: Callable[..., Path], tmp_path: Path
) -> None:
    source = tmp_path / "src"
    subprocess.run(["git", "clone", "-q", str(world.repository), str(source)], check=True)
    (tmp_path / "weights").mkdir()
    shutil.copy(world.weights, tmp_path / "weights")
    add = ("envs", "add", "up", "--for", "upnet", "--python", fake(tmp_path / "env", "farlib"))
    out = call(*add, "--checkout", source, "--checkpoints", tmp_path / "weights")[1]
    assert f"git -C {source} checkout {world.commit}" in out  # it is at the newest commit
    assert "not ready: up: checkout of upnet is at" in call("envs")[1]
    subprocess.run(["git", "-C", str(source), "checkout", "-q", world.commit], check=True)
    assert "not ready" not in call("envs")[1]
    states = {b["name"]: b for b in json.loads(call("backends", "--json")[1])["backends"]}
    assert states["upnet"]["environments"] == ["up"]


def test_a_damaged_file_of_weights_is_found_by_its_checksum(
    call: Call, world: Any, fake: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "up.pt").write_bytes(b"WEIGHTS" * 1000)
    add = ("envs", "add", "up", "--for", "upnet", "--python", fake(tmp_path / "env", "farlib"))
    assert call(*add, "--checkpoints", tmp_path)[0] == 0
    code, out, _ = call("envs", "check", "up")
    assert code == 1
    assert f", not {world.sha256}" in out
    assert f"mend it: rm {tmp_path}/up.pt && trackleed envs fetch up --for upnet" in out


def python_that(folder: Path, does: str) -> Path:
    """A program that is Python, but for making virtual environments."""
    program = folder / "odd-python"
    program.write_text(
        f'#!/bin/sh\nif [ "$2" = venv ]; then mkdir -p "$3/lib"; {does}; fi\n'
        f'case "$2" in *json*) echo \'["{program}", "3.11.7"]\';; '
        f'*) exec {sys.executable} "$@";; esac\n'
    )
    program.chmod(0o755)
    return program


def test_what_fails_half_way_leaves_nothing_but_its_log(
    call: Call, world: Any, tmp_path: Path
) -> None:
    python = python_that(tmp_path, "echo 'Error: no room left' >&2; exit 3")
    code, _, err = call("envs", "create", "far", "--for", "farnet", "--python", python)
    envs = world.home / "envs"
    assert code == 1
    assert "failed with exit code 3: Error: no room left" in err
    assert f"all its output: {envs}/far.log" in err
    assert [path.name for path in envs.iterdir()] == ["far.log"]
    assert load_environments(HERE) == {}


def started(python: Path) -> subprocess.Popen[str]:
    """``envs create`` in a process of its own, at the moment when the folder is there."""
    words = ["envs", "create", "far", "--for", "farnet", "--python", str(python)]
    process = subprocess.Popen(
        [sys.executable, "-m", "trackleed", *words],
        env=os.environ | {"PYTHONPATH": str(python.parent / "site")},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    made = Path(os.environ["TRACKLEED_HOME"]) / "envs" / "far" / "lib"
    while not made.exists() and process.poll() is None:
        time.sleep(0.02)
    assert made.exists(), process.communicate()
    return process


def test_ctrl_c_leaves_nothing(world: Any, tmp_path: Path) -> None:
    process = started(python_that(tmp_path, "exec sleep 60"))
    os.killpg(process.pid, signal.SIGINT)
    assert "stopped" in process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert [path.name for path in (world.home / "envs").iterdir()] == ["far.log"]
    assert load_environments(HERE) == {}


def test_what_a_killed_process_left_is_cleared_by_the_next(
    call: Call, world: Any, tmp_path: Path
) -> None:
    again = ("envs", "create", "far", "--for", "farnet", "--python", tmp_path / "odd-python")
    process = started(python_that(tmp_path, "exec sleep 60"))
    code, _, err = call(*again)
    assert (code, f"is being made by process {process.pid}" in err) == (1, True)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert (world.home / "envs" / "far").exists()
    assert load_environments(HERE) == {}
    python_that(tmp_path, "exit 3")
    assert "failed with exit code 3" in call(*again)[2]
    assert not (world.home / "envs" / "far").exists()


def test_a_folder_that_is_not_ours_is_left_alone(call: Call, world: Any, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    create = ("envs", "create", "far", "--for", "farnet", "--folder", tmp_path / "full")
    code, _, err = call(*create)
    assert (code, "is there already, and not an unfinished" in err) == (1, True)
    assert (tmp_path / "full" / "thesis.tex").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "a"), "envs create needs a backend — as in: --for cutie"),
        (("create", "a", "--for", "bare"), "bare has no recipe to make an environment from"),
        (("create", "a", "--for", "telepathy"), "no backend is called 'telepathy'"),
        (("create", "A", "--for", "farnet"), "cannot be called 'A'"),
        (("create", "a", "--for", "farnet", "--python", "none"), "none is no Python that can be"),
        (("create", "a", "--for", "farnet", "--device", "gpu"), "device = 'gpu' is not allowed"),
        (("create", "a", "--for", "upnet", "--checkout", "no"), "no is no folder"),
        (
            ("create", "a", "--for", "upnet", "--checkout", "x=."),
            "no upstream is called 'x'",
        ),
        (("create", "a", "--for", "farnet", "--checkout", "."), "allowed: none"),
        (("check", "a"), "no environment is called 'a'; there are: none"),
        (("remove", "a"), "no environment is called 'a'"),
    ],
)
def test_bad_input_gets_one_line(call: Call, world: Any, words: tuple[str, ...], said: str) -> None:
    code, _, err = call("envs", *words)
    assert code == 1
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert not (world.home / "envs").exists()


def test_a_module_that_ends_the_process_is_named(
    call: Call, world: Any, fake: Callable[..., Path], tmp_path: Path
) -> None:
    python = fake(tmp_path / "env")
    site = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    (site / "farlib.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    variables = f"variables = {{ PYTHONPATH = '{site}' }}"
    Path("envs.toml").write_text(f"[far]\npython = '{python}'\n{variables}\n")
    code, out, _ = call("envs", "check", "far", "--for", "farnet")
    assert code == 1
    assert "importing farlib ended the process with signal 11" in out


def test_a_check_ends_with_a_worker_that_loads_the_backend(call: Call, world: Any) -> None:
    pytest.importorskip("zmq")
    both = ("--for", "loads", "--for", "breaks")
    assert call("envs", "add", "here", "--python", sys.executable, *both)[0] == 0
    code, out, _ = call("envs", "check", "here")
    assert code == 1
    assert "ok  a worker starts and loads loads" in out
    assert "no  breaks@here failed while it was loaded: ValueError: half a file" in out
    assert call("envs", "check", "here", "--for", "loads")[0] == 0


def test_a_device_that_is_not_there_is_named(
    call: Call, world: Any, fake: Callable[..., Path], tmp_path: Path
) -> None:
    python = fake(tmp_path / "env", "farlib")
    site = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    (site / "farlib.py").write_text("import torch")
    (site / "torch.py").write_text(
        "class cuda:\n    is_available = staticmethod(lambda: True)\n"
        "    device_count = staticmethod(lambda: 1)\nbackends = None\n"
    )
    text = f"[far]\npython = '{python}'\nvariables = {{ PYTHONPATH = '{site}' }}\n"
    Path("envs.toml").write_text(f"{text}device = 'cuda:1'\n")
    out = call("envs", "check", "far", "--for", "farnet")[1]
    assert "no  device cuda:1 is not there; torch sees cpu, cuda, cuda:0" in out
    Path("envs.toml").write_text(f"{text}device = 'cuda:0'\n")
    assert "ok  device cuda:0\n" in call("envs", "check", "far", "--for", "farnet")[1]


def test_a_backend_shows_its_recipe_and_its_terms(call: Call, world: Any) -> None:
    out = call("backends", "show", "upnet")[1]
    assert (
        "upnet (far-plugin 1.0): needs an environment: trackleed envs create upnet --for upnet"
        in out
    )
    for line in (
        "code: MIT; commercial use unclear",
        "installs: pip install --no-deps farlib==1.0",
        f"checkout: {world.repository} at {world.commit}",
        "weights: up.pt, 0 MB: CC-BY-NC-4.0; no commercial use",
        f"sha256 {world.sha256}",
    ):
        assert line in out
    assert "Slow on CPUs." in call("backends", "show", "farnet")[1]
    [record] = json.loads(call("backends", "show", "upnet", "--json")[1])
    assert record["recipe"]["checkpoints"][0]["sha256"] == world.sha256


@pytest.fixture
def server(tmp_path: Path) -> Any:
    """A folder served over HTTP: the folder, and its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_a_download_is_kept_only_if_it_is_what_the_recipe_says(
    server: Any, world: Any, tmp_path: Path
) -> None:
    served, address = server
    shutil.copy(world.weights, served / "up.pt")
    (served / "page.html").write_text("<p>please log in</p>")
    there, seen = tmp_path / "weights", []

    def fetch(file: str, **fields: Any) -> str:
        checkpoint = Checkpoint("up.pt", f"{address}/{file}", **fields)
        return download(checkpoint, there, lambda *told: seen.append(told))

    for file, fields, said in (
        ("up.pt", {"sha256": "0" * 64}, f"has sha256 {world.sha256}, not 000"),
        ("up.pt", {"size": 8000}, "gave 7000 bytes, not 8000"),
        ("none.pt", {}, "cannot be downloaded: File not found"),
        ("page.html", {}, "gives a web page, not a file"),
    ):
        with pytest.raises(EnvironmentUnusable, match=said):
            fetch(file, **fields)
        assert list(there.iterdir()) == []
    assert fetch("up.pt", sha256=world.sha256, size=7000) == world.sha256
    assert seen
    assert [path.name for path in there.iterdir()] == ["up.pt"]
    with pytest.raises(EnvironmentUnusable, match="is there already, and not changed"):
        fetch("up.pt")
