"""A damaged ``envs.toml`` stops only what may need an environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from trackleed.errors import EnvironmentsDamaged
from trackleed.registry import Registry
from trackleed.worker.backends import find_backend


@pytest.fixture(autouse=True)
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "envs.toml").write_text("[vos\n")
    monkeypatch.chdir(tmp_path)


def test_a_backend_of_this_process_is_found_beside_a_damaged_file() -> None:
    assert find_backend(Registry.discover(), "refiner", "gaussian").env is None


def test_an_address_with_an_environment_says_that_the_file_is_damaged() -> None:
    with pytest.raises(EnvironmentsDamaged, match="is not valid TOML"):
        find_backend(Registry.discover(), "refiner", "gaussian@vos")
