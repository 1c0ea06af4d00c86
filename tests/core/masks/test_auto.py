from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from PIL import Image, ImageDraw

from trackleed.errors import InputError
from trackleed.frames import ArraySource, Correction, FrameSequence
from trackleed.masks import AutoMask, auto_mask
from trackleed.masks.gun import find_gun
from trackleed.masks.screen import Ellipse
from trackleed.masks.text import find_text
from trackleed.simulate import Simulation, simulate

Array = np.ndarray
SIZE = (140, 160)


def found(frames: Array) -> AutoMask:
    return auto_mask(FrameSequence(ArraySource(frames)))


def overlap(one: Array, other: Array) -> float:
    """Intersection over union."""
    return float((one & other).sum() / (one | other).sum())


@lru_cache
def series(scenario: str, seed: int, n: int, **options: object) -> tuple[Simulation, Array]:
    made = simulate(scenario, frames=n, seed=seed, size=SIZE, sigma=(1.6, 2.2), **options)  # type: ignore[arg-type]
    return made, np.stack([made.frame(i) for i in range(n)])


def lost_spots(made: Simulation, mask: AutoMask) -> int:
    """Visible spots whose centre is masked, but for those that stand on a hot pixel."""
    seen = made.truth[made.truth["visible"]]
    x, y = seen["x"].round().astype(int), seen["y"].round().astype(int)
    return int((~mask.valid & ~made.hot)[y, x].sum())


@pytest.mark.parametrize("scenario", ["energy-ramp", "deposition", "shaking"])
def test_screen_gun_and_arm_of_a_simulated_series_are_found(scenario: str) -> None:
    made, frames = series(scenario, 0, 8)
    mask = found(frames)
    true_rim = made.screen.radius <= 1
    assert overlap(~mask.parts["screen"], true_rim) > 0.96
    hidden = made.screen.transmission < 0.5
    inner = made.screen.radius < 0.97
    assert overlap(mask.parts["gun"] & inner, hidden & inner) > 0.85
    assert not mask.parts["text"].any()
    assert np.array_equal(mask.parts["hot"], made.hot)
    assert "with an arm to the rim" in " ".join(mask.notes)
    assert "12 hot pixels" in mask.notes


def test_valid_is_what_no_finder_masked() -> None:
    mask = found(series("deposition", 0, 8)[1])
    assert mask.valid.shape == SIZE
    assert list(mask.parts) == ["screen", "gun", "text", "hot"]
    assert np.array_equal(mask.valid, ~np.any(list(mask.parts.values()), axis=0))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "options",
    [{"n": 4}, {"n": 1, "bits": 8, "exposure": 5.0}, {"n": 3, "exposure": 0.02}],
)
def test_no_spot_is_masked(seed: int, options: dict[str, float]) -> None:
    """Nor in a series of one frame, where all is static, nor a saturated or a dim one."""
    scenario = ("energy-ramp", "deposition", "dropout")[seed % 3]
    made, frames = series(scenario, seed, **options)  # type: ignore[arg-type]
    assert lost_spots(made, found(frames)) == 0


def test_a_screen_that_is_an_ellipse_on_oblong_pixels_is_found() -> None:
    made, frames = series("deposition", 1, 4, pixel_aspect=1.11)
    mask = found(frames)
    assert overlap(mask.valid, made.valid) > 0.85
    assert lost_spots(made, mask) == 0


def grid(shape: tuple[int, int]) -> tuple[Array, Array]:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return x.astype(float), y.astype(float)


def noisy(level: Array, rng: np.random.Generator) -> Array:
    return np.clip(rng.poisson(np.maximum(level, 0)), 0, 255).astype(np.uint8)


def test_a_screen_that_grows_counts_at_its_largest() -> None:
    x, y = grid((180, 200))
    rng = np.random.default_rng(1)
    r = np.hypot(x - 98, y - 92)
    spots = 200 * np.exp(-((x - 98) ** 2 + (y - 92) ** 2) / 50)
    frames = np.stack(
        [
            noisy(12 + 14 * ((r < size) & (r > 0.85 * size)) + spots, rng)
            for size in range(40, 81, 4)
        ]
    )
    mask = found(frames)
    assert overlap(~mask.parts["screen"], r <= 80) > 0.9
    assert mask.valid[r < 78].all()
    assert not mask.parts["gun"].any()


def test_a_rim_that_leaves_the_frame_is_found() -> None:
    x, y = grid((160, 240))
    rng = np.random.default_rng(2)
    disk = np.hypot(x - 120, y - 80) < 90
    mask = found(np.stack([noisy(20 + 60 * disk, rng) for _ in range(4)]))
    assert overlap(~mask.parts["screen"], disk) > 0.93


@pytest.mark.parametrize(
    "level",
    [
        lambda x, y: 60 + 0 * x,
        lambda x, y: 30 + 0.4 * x,
        lambda x, y: 20 + 200 * np.exp(-((x - 90) ** 2 + (y - 60) ** 2) / 20),
        lambda x, y: 20 + 200 / (1 + ((x - 90) ** 2 + (y - 60) ** 2) / 100),
        lambda x, y: 20 + 60 * np.exp(-((x - 75) ** 2 + (y - 65) ** 2) / 2000),
    ],
    ids=["even", "sloping", "one spot", "one spot with a wide halo", "diffuse light"],
)
@pytest.mark.parametrize("count", [1, 5])
def test_without_a_rim_the_whole_frame_is_used(level: object, count: int) -> None:
    rng = np.random.default_rng(3)
    light = level(*grid(SIZE))  # type: ignore[operator]
    mask = found(np.stack([noisy(light, rng) for _ in range(count)]))
    assert mask.valid.all()
    assert mask.notes == ["no screen rim found: the whole frame is used, and no gun is looked for"]


@pytest.mark.parametrize("level", [0, 7, 255])
@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 50, 31), (2, 8, 9)])
def test_uniform_frames_are_wholly_valid(level: int, shape: tuple[int, int, int]) -> None:
    assert found(np.full(shape, level, np.uint8)).valid.all()


def with_text(frame: Array, lines: dict[tuple[int, int], str]) -> Array:
    image = Image.fromarray(frame)
    draw = ImageDraw.Draw(image)
    for place, text in lines.items():
        draw.text(place, text, fill=255)
    return np.asarray(image)


@pytest.mark.parametrize("count", [1, 6])
def test_lines_of_text_are_masked_whole_and_spots_are_not(count: int) -> None:
    x, y = grid(SIZE)
    rng = np.random.default_rng(4)
    places = [(40, 40), (130, 50), (80, 70), (50, 105), (130, 110)]
    light = 20 + sum(900 * np.exp(-((x - u) ** 2 + (y - v) ** 2) / 12) for u, v in places)
    clean = np.stack([noisy(light, rng) for _ in range(count)])
    frames = np.stack(
        [
            with_text(frame, {(4, 4): f"12:52:{17 + i} E = {20 + i}.5 eV", (90, 124): "FOV=LEED"})
            for i, frame in enumerate(clean)
        ]
    )
    mask = found(frames)
    assert mask.parts["text"][(frames != clean).any(axis=0)].mean() > 0.97
    assert not mask.parts["text"][18:122].any()
    assert mask.parts["text"].mean() < 0.15
    assert not mask.parts["hot"].any()


def test_spots_in_a_row_are_no_text() -> None:
    x, y = grid(SIZE)
    rng = np.random.default_rng(5)
    for sigma in (0.8, 1.2, 2.0):
        for height in (150, 2000):
            row = sum(
                height * np.exp(-((x - u) ** 2 + (y - 70) ** 2) / (2 * sigma**2))
                for u in range(30, 130, 9)
            )
            assert not find_text(noisy(20 + row, rng)[None]).any()


def test_white_margins_with_rulers_are_masked() -> None:
    x, y = grid(SIZE)
    rng = np.random.default_rng(6)
    spot = 900 * np.exp(-((x - 90) ** 2 + (y - 60) ** 2) / 30)
    frames = np.stack([noisy(20 + spot, rng) for _ in range(3)])
    frames[:, :, :24] = 255
    frames[:, 120:, :] = 255
    frames[:, :120:6, 19:24] = 0
    frames[:, 121:125, 24::6] = 0
    masked = found(frames).parts["text"]
    assert masked[:, :24].all()
    assert masked[120:].all()
    assert not masked[:116, 28:].any()


def test_a_static_saturated_spot_is_neither_margin_nor_hot() -> None:
    x, y = grid(SIZE)
    frame = np.minimum(10 + 5000 * np.exp(-((x - 4) ** 2 + (y - 100) ** 2) / 18), 255)
    assert found(np.stack([frame.astype(np.uint8)] * 5)).valid.all()


def test_hot_pixels_are_found_only_where_they_stay() -> None:
    rng = np.random.default_rng(7)
    frames = rng.poisson(40, (10, *SIZE)).astype(np.uint16)
    places = rng.integers(3, 136, (15, 2))
    frames[:, places[:, 0], places[:, 1]] += 200
    for frame in frames:  # cosmic rays, elsewhere in each
        frame[tuple(rng.integers(3, 136, 2))] = 4000
    assert sorted(map(tuple, np.argwhere(found(frames).parts["hot"]))) == sorted(
        {(int(y), int(x)) for y, x in places}
    )


def test_the_raw_frames_are_looked_at() -> None:
    """A background correction takes away the glow that shows the rim."""
    frames = series("deposition", 0, 8)[1]
    corrected = FrameSequence(
        ArraySource(frames), correction=Correction(background=frames.mean(axis=0))
    )
    assert np.array_equal(auto_mask(corrected).valid, found(frames).valid)


def test_a_long_series_is_sampled_from_its_first_to_its_last_frame() -> None:
    class Source(ArraySource):
        def __init__(self, frames: Array) -> None:
            super().__init__(frames)
            self.asked: list[int] = []

        def __len__(self) -> int:
            return 5000

        def read(self, i: int) -> Array:
            self.asked.append(i)
            return self.frames[0].view()

    source = Source(np.full((1, 40, 50), 9, np.uint8))
    auto_mask(FrameSequence(source))
    assert len(source.asked) == len(set(source.asked)) == 40
    assert (min(source.asked), max(source.asked)) == (0, 4999)


def test_a_series_without_frames_is_refused() -> None:
    with pytest.raises(InputError, match="no frame"):
        found(np.zeros((0, 20, 20)))


def test_a_dark_dot_in_a_small_picture_is_too_small_to_be_judged() -> None:
    y, x = np.mgrid[:64, :64]
    lit = np.random.default_rng(0).normal(100, 3, (64, 64))
    lit[np.hypot(x - 32, y - 32) < 3] = 10
    assert find_gun(lit, Ellipse(31.5, 31.5, 31, 31)) is None
