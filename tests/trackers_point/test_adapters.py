"""The adapters of upstream trackers, with stand-ins that follow the light in their own words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import standins
from trackleed.errors import BackendNotReady
from trackleed.testing import Subject, scenes

LOADED = {"weight": 1.0}
SQUARE, WIDE = {"side": 128}, {"rows": 96, "columns": 192}
# Stand-in, file of weights and what is in it, and options that make it quick.
KNOWN: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "tapir": ("tapnet", "tapir_checkpoint_panning.pt", LOADED, SQUARE),
    "bootstapir": ("tapnet", "bootstapir_checkpoint_v2.pt", LOADED, SQUARE),
    "bootstapir-online": ("tapnet", "causal_bootstapir_checkpoint.pt", LOADED, SQUARE),
    "locotrack": (
        "locotrack",
        "locotrack_small.ckpt",
        {"state_dict": {"model.weight": 1.0}},
        SQUARE,
    ),
    "cotracker3": ("co-tracker", "scaled_offline.pth", {"model": LOADED}, WIDE),
    "cotracker3-online": ("co-tracker", "scaled_online.pth", LOADED, WIDE),
}


def subject(folder: Path, name: str, **options: Any) -> Subject:
    upstream, file, weights, quick = KNOWN[name]
    return standins.subject(folder, name, upstream, {file: weights}, **{**quick, **options})


@pytest.mark.parametrize("name", KNOWN)
def test_the_adapter_keeps_to_the_contract_and_goes_where_the_light_is(
    name: str, tmp_path: Path
) -> None:
    assert not standins.failures(subject(tmp_path, name), *standins.ALL)


@pytest.mark.parametrize("name", ["bootstapir", "locotrack", "cotracker3"])
def test_series_longer_than_a_clip_are_followed(name: str, tmp_path: Path) -> None:
    tested = subject(tmp_path, name, clip=6)
    scene = scenes.moving((0.5, 0.25), n=20)
    found = tested.follow(scene)
    tested.close()
    assert np.nanmax(np.abs(found.places - scene.places)) < 0.6


@pytest.mark.parametrize("n", [1, 5, 8, 9, 16, 21, 24])
def test_online_windows_tell_of_every_frame_once_and_after_the_last_revision(
    n: int, tmp_path: Path
) -> None:
    tested = subject(tmp_path, "cotracker3-online")
    scene = scenes.moving((0.5, 0.25), n=n)
    parts = tested.track(scene)
    tested.close()
    assert [int(part["frame"][0]) for part in parts] == list(range(n))
    scores = np.array([part["score"] for part in parts])[1:]
    revised = max(8 * (n // 8) - (8 if n % 8 == 0 else 0), 8)  # by the last window that there is
    assert np.allclose(scores[: revised - 1], 0.95 * 0.95, atol=1e-6)
    assert np.allclose(scores[revised - 1 :], 0.95 * 0.8, atol=1e-6)


@pytest.mark.parametrize("name", KNOWN)
def test_weights_of_another_network_are_refused(name: str, tmp_path: Path) -> None:
    upstream, file, _, quick = KNOWN[name]
    tested = standins.subject(tmp_path, name, upstream, {file: {"other": 1.0}}, **quick)
    with pytest.raises(BackendNotReady, match="does not fit the model"):
        tested.track(scenes.moving((0.0, 0.0), n=1))
    tested.close()
