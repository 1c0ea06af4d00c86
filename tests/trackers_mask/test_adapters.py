"""The adapters of this package, with stand-ins of their upstreams that follow the light."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import standins
from trackleed.errors import BackendNotReady
from trackleed.testing import Subject, scenes

LOADED = {"weight": 1.0}
SAM2, CUTIE = "sam2.1_hiera_small.pt", "cutie-base-mega.pth"
WEIGHTS: dict[str, dict[str, Any]] = {"sam2": {SAM2: {"model": LOADED}}, "cutie": {CUTIE: LOADED}}
OPTIONS: dict[str, dict[str, Any]] = {"sam2": {"image_size": 160}, "cutie": {}}
OTHERS: dict[str, dict[str, Any]] = {
    "sam2": {"image_size": 128, "zoom": 4, "checkpoint": SAM2, "size": "tiny"},
    "cutie": {"enlarge": 1.7, "place": "gaussian", "checkpoint": CUTIE, "size": "small"},
}


def subject(folder: Path, name: str, **options: Any) -> Subject:
    return standins.subject(folder, name, name, WEIGHTS[name], **{**OPTIONS[name], **options})


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_adapter_keeps_to_the_contract_and_goes_where_the_light_is(
    name: str, tmp_path: Path
) -> None:
    assert not standins.failures(subject(tmp_path, name), *standins.ALL)


@pytest.mark.parametrize("name", WEIGHTS)
def test_so_it_does_with_other_options(name: str, tmp_path: Path) -> None:
    assert not standins.failures(subject(tmp_path, name, **OTHERS[name]), *standins.PLACES)


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_series_longer_than_its_memory_is_followed(name: str, tmp_path: Path) -> None:
    tested = subject(tmp_path, name)
    scene = scenes.moving((0.5, 0.25), n=40)  # the stand-in counts what is kept
    found = tested.follow(scene)
    tested.close()
    assert np.nanmax(np.abs(found.places - scene.places)) < 0.5


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_of_another_network_are_refused(name: str, tmp_path: Path) -> None:
    (file,) = WEIGHTS[name]
    wrong = {"model": {"other": 1.0}} if name == "sam2" else {"other": 1.0}
    tested = standins.subject(tmp_path, name, name, {file: wrong}, **OPTIONS[name])
    with pytest.raises(BackendNotReady, match="does not fit the model"):
        tested.track(scenes.moving((0.0, 0.0), n=1))
    tested.close()
