"""From a reader to a store: frames, corrections, mask, and what the frames say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trackleed import tables
from trackleed.errors import InputError, SessionDamaged, SessionExists
from trackleed.params import Params, make, option
from trackleed.registry import Registry
from trackleed.store import Store

if TYPE_CHECKING:
    from trackleed.backend import Array, FrameSource
    from trackleed.pipeline.engine import Progress
    from trackleed.registry import Backend
    from trackleed.session import Session, Step

CORRECTIONS = ("dark", "flat", "background")


class ImportParams(Params):
    """What is done with the frames on their way into the store."""

    mask: str = option("auto", "auto, none, or the path of an image or JSON file")
    dark: str | None = option(None, "image taken without light; subtracted")
    flat: str | None = option(None, "image of even light; divided out")
    background: str | None = option(None, "image without spots")
    background_mode: Literal["subtract", "normalise"] = option(
        "subtract", "what is done with the background image"
    )


def import_into(
    session: Session,
    path: Path,
    reader: Backend,
    reader_options: dict[str, Any],
    options: dict[str, Any],
    progress: Progress,
) -> Step:
    """Import a series as a step; go on with it if an earlier import of the same was cut short."""
    params = make(ImportParams, options, "import")
    record = {
        "backend": reader.spec.name,
        "version": reader.version,
        "params": {
            "source": str(path.absolute()),
            **reader.params(**reader_options).model_dump(mode="json"),
            **params.model_dump(mode="json"),
        },
        "inputs": [],
    }
    done = session.find_done("import", **record)
    if done is not None:
        return done
    if session.latest("import") is not None:
        raise SessionExists(
            f"{session.path} already holds another import",
            "choose another name, or replace it with --overwrite",
        )
    source = reader.make(**reader_options).open(path)
    with session.step("import", spec=tables.INDEX, **record) as writer:
        store = open_store(session.store_path, source)
        copy_frames(source, store, progress)
        notes = describe_frames(store, params, progress)
        writer.write(source.index)
        writer.note(*getattr(source, "notes", ()), *source.skipped, *notes)
    return writer.step


def open_store(path: Path, source: FrameSource) -> Store:
    """A store for this source: a new one, or the one that an earlier import left unfinished."""
    if path.exists():
        try:
            store = Store.open(path)
        except SessionDamaged:
            pass  # killed before the store was whole: nothing in it to keep
        else:
            same = (store.n_frames, store.shape, store.dtype)
            if same == (len(source), source.shape, source.dtype):
                return store
    return Store.create(path, len(source), source.shape, source.dtype)


def copy_frames(source: FrameSource, store: Store, progress: Progress) -> None:
    """Copy the frames that the store does not hold yet."""
    total = len(source)
    progress("import", store.n_valid, total)
    for i in range(store.n_valid, total):
        store.append(source.read(i))
        progress("import", i + 1, total)


def describe_frames(store: Store, params: ImportParams, progress: Progress) -> list[str]:
    """Put corrections, mask, noise model and saturation into the store; return notes for people."""
    from trackleed.noise import estimate_noise, estimate_saturation

    progress("mask", 0, 1)
    for name in CORRECTIONS:
        path = getattr(params, name)
        if path is not None:
            store.put_image(name, load_image(Path(path), store.shape, name))
    store.set(background_mode=params.background_mode)
    saturation = estimate_saturation(store.frames())
    store.set(saturation=saturation)
    valid, notes = make_mask(store, params.mask)
    store.put_image("valid", valid)
    noise = estimate_noise(store.frames())
    store.set(gain=noise.gain, read_noise=noise.read_noise, black=noise.black)
    progress("mask", 1, 1)
    notes.append(
        f"noise: {noise.read_noise:.3g} counts at level {noise.black:.4g}, "
        f"{noise.gain:.3g} counts of variance per count above it"
    )
    if saturation is not None:
        notes.append(f"pixels saturate at {saturation:.6g} counts")
    return notes


def make_mask(store: Store, mask: str) -> tuple[Array, list[str]]:
    """The valid part of the screen, bool (y, x), and how it was found."""
    from trackleed.masks import auto_mask, load_mask

    if mask == "none":
        return np.ones(store.shape, dtype=bool), ["mask: none"]
    if mask == "auto":
        found = auto_mask(store.frames())
        return found.valid, list(found.notes)
    valid = load_mask(Path(mask), store.shape)
    return valid, [f"mask: {mask}, {100 * valid.mean():.1f} % of the frame is used"]


def load_image(path: Path, shape: tuple[int, int], role: str) -> Array:
    """One image of the size of the frames, float (y, x); the mean where it has several pages.

    Raises
    ------
    InputError
        If it cannot be read or is of another size.
    """
    source = Registry.discover().reader_for(path).make().open(path)
    if source.shape != shape:
        raise InputError(
            f"{role} image {path} is {source.shape[1]}x{source.shape[0]} px, "
            f"the frames are {shape[1]}x{shape[0]} px"
        )
    return np.mean([source.read(i) for i in range(len(source))], axis=0, dtype=np.float64)
