"""The automatic mask on measured series; places were read off the frames by eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from trackleed.frames import ArraySource, FrameSequence
from trackleed.masks import AutoMask, auto_mask

pytestmark = pytest.mark.real_data


def mask_of(files: list[Path]) -> AutoMask:
    read = (
        tifffile.imread if files[0].suffix == ".tiff" else lambda file: np.asarray(Image.open(file))
    )
    return auto_mask(FrameSequence(ArraySource(np.stack([read(file) for file in files]))))


def masked(mask: np.ndarray, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those of the places (x, y) that are masked."""
    return [(x, y) for x, y in places if not mask[y, x]]


@pytest.fixture(scope="module")
def mos2(real_data: Path) -> AutoMask:
    return mask_of(sorted((real_data / "mos2_uleed").glob("*.png"))[::5])


def test_the_spots_of_the_uleed_series_are_valid(mos2: AutoMask) -> None:
    first = [(235, 176), (358, 154), (438, 250), (393, 364), (273, 381), (195, 291)]
    drifted = [(x + 10, y) for x, y in first]
    later = [(110, 144), (127, 189), (494, 136), (526, 343), (404, 457), (165, 389), (325, 485)]
    around = [(x + dx, y + dy) for x, y in [(311, 270), *first] for dx in (-8, 8) for dy in (-8, 8)]
    assert masked(mos2.valid, [(311, 270), *first, *drifted, *later, *around]) == []
    assert not mos2.parts["gun"].any()


def test_the_text_and_rulers_of_the_uleed_series_are_masked(mos2: AutoMask) -> None:
    lines = [(40, 8), (120, 8), (40, 23), (95, 23), (40, 38), (180, 38)]
    lines += [(420, 8), (560, 8), (400, 23), (560, 23), (430, 38), (560, 38)]
    assert masked(~mos2.parts["text"], lines) == lines
    assert mos2.parts["text"][:, :34].all()
    assert mos2.parts["text"][512:].all()
    assert not mos2.valid[:45, 36:100].any()
    assert not mos2.parts["text"][50:505, 40:].any()


def test_spots_at_the_rim_and_by_the_gun_of_the_iridium_series_are_valid(real_data: Path) -> None:
    mask = mask_of(sorted((real_data / "ir111_lab").glob("*.tiff")))
    rim = [(244, 167), (411, 178), (158, 317), (320, 335), (480, 336), (235, 462), (389, 471)]
    near_gun = [(225, 111), (438, 124), (270, 218), (386, 225), (238, 271), (412, 281), (322, 333)]
    assert masked(mask.valid, rim + near_gun) == []
    dark = [(326, 274), (326, 240), (332, 130), (332, 90), (60, 300), (650, 300), (320, 540)]
    assert masked(mask.valid, dark) == dark


def test_gun_and_rim_of_the_graphene_series_are_masked(real_data: Path) -> None:
    mask = mask_of(sorted((real_data / "graphene_ir_moire").glob("*.tiff")))
    spots = [(369, 73), (465, 118), (173, 182), (406, 208), (287, 214), (515, 216), (221, 326)]
    spots += [(344, 338), (464, 340), (392, 435), (277, 439)]
    assert masked(mask.valid, spots) == []
    dark = [(345, 275), (345, 240), (338, 150), (336, 90), (40, 300), (600, 430), (336, 530)]
    assert masked(mask.valid, dark) == dark


def test_one_frame_with_reflections_is_masked_to_its_screen(real_data: Path) -> None:
    mask = mask_of([real_data / "single" / "leed_gun_shadow.png"])
    spots = [(844, 184), (961, 258), (1075, 332), (562, 380), (1196, 398), (698, 458), (1319, 468)]
    spots += [(978, 630), (523, 714), (1152, 730), (645, 782), (1282, 808), (767, 848), (884, 923)]
    assert masked(mask.valid, [*spots, (1006, 999)]) == []
    dark = [(900, 590), (850, 560), (800, 680), (720, 830), (620, 890)]
    reflections = [(60, 650), (280, 650), (1530, 530), (1757, 190), (1140, 90), (400, 350)]
    assert masked(mask.valid, dark + reflections) == dark + reflections


def test_streaks_and_spots_of_the_rheed_series_are_valid(real_data: Path) -> None:
    mask = mask_of(sorted((real_data / "rheed_sb_deposition").rglob("*.[bB][mM][pP]"))[::3])
    x, y = np.meshgrid(np.arange(160, 1280, 20), np.arange(150, 800, 20))
    assert mask.valid[y, x].mean() > 0.99
    assert not mask.parts["gun"].any()
    assert not mask.parts["text"].any()
