"""Measured frames, where they are to hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trackleed.frames import ArraySource, FrameSequence
from trackleed.noise import estimate_noise, estimate_saturation

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason="measured series not beside the checkout"),
]


def opened(path: Path) -> FrameSequence:
    with Image.open(path) as image:
        source = ArraySource(np.array(image)[None])
    raw = FrameSequence(source, saturation=estimate_saturation(FrameSequence(source)))
    return FrameSequence(source, noise=estimate_noise(raw), saturation=raw.saturation)


def test_clipped_spots_of_mos2_keep_their_places(lab) -> None:
    frames = opened(DATA / "mos2_uleed" / "MoS2_060_50.5eV.png")
    places = [(235, 176), (358, 154), (438, 250), (393, 364), (273, 381), (195, 291)]
    fits = lab.refine(frames, lab.rois(places, size=27))
    assert frames.saturation == 255
    assert list(fits["status"]) == ["saturated"] * 6
    assert np.all(
        np.hypot(fits["x"] - np.array(places).T[0], fits["y"] - np.array(places).T[1]) < 1
    )
    assert np.all(fits["chi2_red"] < 3)


def test_bright_spots_of_graphene_are_nearly_gaussian(lab) -> None:
    frames = opened(DATA / "graphene_ir_moire" / "LEED_2025_04_23_000.tiff")
    places = [(287, 214), (344, 338), (464, 340), (277, 439)]
    fits = lab.refine(frames, lab.rois(places, size=23))
    assert list(fits["status"]) == ["ok"] * 4
    assert np.all(fits["r_squared"] > 0.97)
    assert np.all(fits["x_err"] < 0.1)
