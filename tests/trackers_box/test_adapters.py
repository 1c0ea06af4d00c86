"""The adapter of OSTrack, with a stand-in of its checkout that follows the light."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import standins
from trackleed.errors import BackendNotReady
from trackleed.testing import Subject, scenes

LOADED: dict[str, Any] = {"net": {"weight": 1.0}, "epoch": 300}
SMALL, LARGE = (f"vitb_{side}_mae_ce_32x4_ep300" for side in (256, 384))


def subject(folder: Path, content: dict[str, Any] = LOADED, **options: Any) -> Subject:
    file = options.get("config", SMALL) + ".pth.tar"
    return standins.subject(folder, "ostrack", "ostrack", {file: content}, **options)


def test_the_adapter_keeps_to_the_contract_and_goes_where_the_light_is(tmp_path: Path) -> None:
    assert not standins.failures(subject(tmp_path), *standins.ALL)


def test_so_it_does_with_other_options(tmp_path: Path) -> None:
    assert not standins.failures(subject(tmp_path, config=LARGE), *standins.PLACES)


def test_a_spot_that_comes_back_is_found_where_it_was_lost(tmp_path: Path) -> None:
    scene = scenes.moving((0.0, 0.0), n=12)
    places = scene.places.copy()
    places[4:8, 0] = np.nan
    tested = subject(tmp_path)
    states = tested.follow(scene.like(places=places)).states
    tested.close()
    assert set(states[4:8, 0]) == {"lost"}
    assert set(states[8:, 0]) == {"measured"}


def test_a_file_that_holds_objects_is_not_opened(tmp_path: Path) -> None:
    tested = subject(tmp_path, LOADED | {"objects": ["of upstream's training"]})
    with pytest.raises(BackendNotReady, match="holds more than tensors and is not opened"):
        tested.track(scenes.moving((0.0, 0.0), n=1))
    tested.close()
