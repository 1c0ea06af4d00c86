"""A damaged ``envs.toml`` stops only what may need an environment."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from trackleed.errors import EnvironmentsDamaged
from trackleed.registry import Registry
from trackleed.worker.backends import find_backend
from trackleed.worker.environments import readable_environments

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "envs.toml").write_text("[vos\n")
    monkeypatch.chdir(tmp_path)


def test_a_backend_of_this_process_is_found_beside_a_damaged_file() -> None:
    assert find_backend(Registry.discover(), "refiner", "gaussian").env is None


def test_an_address_with_an_environment_says_that_the_file_is_damaged() -> None:
    with pytest.raises(EnvironmentsDamaged, match="is not valid TOML"):
        find_backend(Registry.discover(), "refiner", "gaussian@vos")


def test_backends_lists_all_there_is_and_what_is_wrong_with_the_file(
    call: Call, tmp_path: Path
) -> None:
    code, out, _ = call("backends")
    assert code == 0
    assert "gaussian" in out
    (said,) = (line for line in out.splitlines() if line.startswith("not used"))
    assert f"{tmp_path}/envs.toml is not valid TOML" in said
    listed = json.loads(call("backends", "--json")[1])
    assert "gaussian" in {backend["name"] for backend in listed["backends"]}
    assert ["is not valid TOML" in text for text in listed["damaged"]] == [True]


def test_a_backend_is_shown_beside_a_damaged_file(call: Call) -> None:
    code, out, err = call("backends", "show", "gaussian")
    assert code == 0
    assert "shape" in out
    assert "is not valid TOML" in err


def test_the_users_environments_are_there_beside_a_damaged_file_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "envs.toml").write_text('[far]\naddress = "tcp://host:1"\nbackends = ["gaussian"]\n')
    monkeypatch.setenv("TRACKLEED_HOME", str(home))
    found, damaged = readable_environments(tmp_path)
    assert list(found) == ["far"]
    assert len(damaged) == 1
