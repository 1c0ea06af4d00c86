"""What an environment lacks, and where a backend runs, told without starting anything."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from trackleed.backend import BackendSpec
from trackleed.errors import BackendNotReady, EnvironmentNotFound
from trackleed.recipe import Checkpoint, Recipe, Upstream
from trackleed.registry import Registry
from trackleed.worker.environments import (
    Environment,
    lacks,
    place,
    readiness,
    split_address,
)
from trackleed.worker.environments.sites import commit_of, has_module, site_folders

Fake = Callable[..., Path]


def listed(python: Path, name: str = "vos", **fields: object) -> dict[str, Environment]:
    made = Environment.model_validate(
        {"name": name, "source": "envs.toml", "python": python} | fields
    )
    return {name: made}


def spec(name: str, registry: Registry) -> BackendSpec:
    return registry.find("tracker", name).spec


def cloned(world: Any, folder: Path, commit: str = "") -> Path:
    run(["git", "clone", "-q", str(world.repository), str(folder)], check=True)
    if commit:
        run(["git", "-C", str(folder), "checkout", "-q", commit], check=True)
    return folder


def test_modules_are_found_however_they_are_installed(tmp_path: Path, fake: Fake) -> None:
    python = fake(tmp_path / "env", "plain")
    site = next(iter(site_folders(python)))
    (site / "package").mkdir()
    (site / "compiled.cpython-38-x86_64-linux-gnu.so").touch()
    (site / "gone-1.0.dist-info").mkdir()
    (site / "gone.libs").mkdir()
    (tmp_path / "src" / "editable").mkdir(parents=True)
    (site / "dev.pth").write_text(f"import sys\n{tmp_path / 'src'}\n")
    folders = site_folders(python)
    names = ("plain", "package", "compiled", "editable", "json")
    assert all(has_module(name, folders) for name in names)
    assert not has_module("gone", folders)


def test_a_change_of_the_environment_is_seen_at_once(tmp_path: Path, fake: Fake) -> None:
    python = fake(tmp_path / "env")
    assert not has_module("late", site_folders(python))
    (site_folders(python)[0] / "late.py").touch()
    assert has_module("late", site_folders(python))


def test_the_commit_is_that_of_a_branch_a_detached_head_and_a_worktree(
    world: Any, tmp_path: Path
) -> None:
    first = world.commit
    checkout = cloned(world, tmp_path / "a")
    second = commit_of(checkout)
    assert second is not None
    assert second != first
    run(["git", "-C", str(checkout), "pack-refs", "--all"], check=True)
    assert commit_of(checkout) == second
    run(["git", "-C", str(checkout), "worktree", "add", "-q", "../b", first], check=True)
    assert commit_of(tmp_path / "b") == first
    assert commit_of(tmp_path) is None


def test_each_lack_comes_with_the_command_that_mends_it(
    world: Any, registry: Registry, tmp_path: Path, fake: Fake
) -> None:
    upnet = spec("upnet", registry)
    python, weights = fake(tmp_path / "env"), tmp_path / "weights"
    checkout = tmp_path / "up"
    fields = {"checkouts": {"upnet": checkout}, "checkpoints": weights}
    vos = listed(python, **fields)["vos"]

    def said() -> list[str]:
        return [str(lack) for lack in lacks(upnet, vos)]

    fetch = "trackleed envs fetch vos --for upnet"
    assert said() == [
        "farlib not installed: trackleed envs install vos --for upnet",
        f"checkout of upnet is not at {checkout}: {fetch}",
        f"checkpoint up.pt is not in {weights}: {fetch}",
    ]
    fake(tmp_path / "full", "farlib")
    vos = listed(tmp_path / "full/bin/python", **fields)["vos"]
    cloned(world, checkout)
    weights.mkdir()
    (weights / "up.pt").write_bytes(b"half")
    commit = world.commit
    other, size = said()
    assert other.endswith(f"not {commit[:9]}: git -C {checkout} checkout {commit}")
    assert size.startswith(f"{weights}/up.pt has 4 bytes, not 7000")
    run(["git", "-C", str(checkout), "checkout", "-q", commit], check=True)
    shutil.copy(world.weights, weights)
    assert said() == []
    (checkout / "lib" / "upnet" / "__init__.py").unlink()
    (checkout / "lib" / "upnet").rmdir()
    assert said() == [f"{checkout} has no module upnet: it is no checkout of upnet"]


def test_one_file_of_several_alternatives_is_enough(tmp_path: Path, fake: Fake) -> None:
    files = (
        Checkpoint("small.pt", "https://example.org/s"),
        Checkpoint("large.pt", "https://example.org/l"),
        Checkpoint("flow.pt", "https://example.org/f", role="flow"),
    )
    both = BackendSpec(
        name="two", summary="s", factory="m:C", runs_in="worker", recipe=Recipe(checkpoints=files)
    )
    vos = listed(fake(tmp_path / "env"), checkpoints=tmp_path)["vos"]
    (tmp_path / "large.pt").touch()
    assert [lack.what for lack in lacks(both, vos)] == [f"checkpoint flow.pt is not in {tmp_path}"]


def test_readiness_of_a_backend_without_with_and_with_half_an_environment(
    registry: Registry, tmp_path: Path, fake: Fake
) -> None:
    farnet = registry.find("tracker", "farnet")
    none = readiness(farnet, {})
    assert (none.ready, none.short) == (False, "no")
    assert none.text == "needs an environment: trackleed envs create farnet --for farnet"
    half = readiness(farnet, listed(fake(tmp_path / "half"), backends=("farnet",)))
    assert half.text == ("in vos: farlib not installed: trackleed envs install vos --for farnet")
    full = listed(fake(tmp_path / "full", "farlib"), name="gpu")
    found = readiness(farnet, {**listed(tmp_path / "half/bin/python"), **full})
    assert (found.ready, found.short) == (True, "in gpu")
    assert found.text == "ready in gpu (farnet@gpu)"
    named = readiness(
        registry.find("tracker", "bare"), listed(tmp_path / "half/bin/python", backends=("bare",))
    )
    assert (
        named.text
        == f"in vos: farlib not installed: {tmp_path}/half/bin/python -m pip install farlib==1"
    )
    bare = readiness(registry.find("tracker", "bare"), {})
    assert bare.text.endswith("trackleed envs add bare --for bare --python PATH")


def test_a_worker_elsewhere_serves_what_its_entry_names(registry: Registry) -> None:
    far = {"name": "far", "source": "e", "address": "tcp://box:5555", "backends": ("farnet",)}
    environments = {"far": Environment.model_validate(far)}
    assert readiness(registry.find("tracker", "farnet"), environments).environments == ("far",)
    assert not readiness(registry.find("tracker", "upnet"), environments).ready


def test_where_a_backend_runs(registry: Registry, tmp_path: Path, fake: Fake) -> None:
    one = listed(fake(tmp_path / "a", "farlib"), name="one")
    two = {**one, **listed(fake(tmp_path / "b", "farlib"), name="two")}
    chosen = place(registry, "tracker", "farnet", lambda: one)
    assert chosen.environment == one["one"]
    assert chosen.note == "tracker 'farnet' runs in environment 'one', the only one that has it"
    named = place(registry, "tracker", "far-plugin:farnet@two", lambda: two)
    assert (named.environment, named.note) == (two["two"], "")
    here = place(registry, "refiner", "gaussian", lambda: two)
    assert (here.environment, here.note) == (None, "")
    with pytest.raises(BackendNotReady, match=r"2 environments have it — say farnet@one or "):
        place(registry, "tracker", "farnet", lambda: two)
    with pytest.raises(BackendNotReady, match=r"no environment has .* envs create farnet --for"):
        place(registry, "tracker", "farnet", lambda: {})
    with pytest.raises(EnvironmentNotFound, match="'three'; there are: one, two"):
        place(registry, "tracker", "farnet@three", lambda: two)


def test_addresses_are_split_at_the_at() -> None:
    assert split_address("dist:name@env") == ("dist:name", "env")
    assert split_address("name") == ("name", None)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Upstream("a", "https://example.org/a", "main"),
        lambda: Checkpoint("../a.pt", "https://example.org/a"),
        lambda: Checkpoint("a.pt", "https://example.org/a", sha256="abc"),
    ],
)
def test_a_recipe_that_pins_nothing_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"commit hash|plain file name|sha256"):
        wrong()
