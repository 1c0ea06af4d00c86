"""From a reader to a store: frames, corrections, mask, and what the frames say of themselves."""

from __future__ import annotations

import shutil
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trackleed import tables
from trackleed.errors import InputError, SessionDamaged, SessionExists
from trackleed.masks import auto_mask, hot_pixels, load_mask
from trackleed.noise import estimate_saturation, measure_noise
from trackleed.params import Params, make, option
from trackleed.pipeline.steps import add_step
from trackleed.registry import Registry
from trackleed.store import Store
from trackleed.worker.backends import find_backend

if TYPE_CHECKING:
    from trackleed.backend import Array, FrameSource
    from trackleed.progress import Progress
    from trackleed.session import Session, Step, StepWriter

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


class Series:
    """A series that is to be imported; its frames are opened when they are first asked for.

    Parameters
    ----------
    registry : Registry
    path : path
        A folder, a glob such as ``"scan/*.tif"``, or a file of one or many frames.
    reader : str, optional
        A reader; chosen by the name of the path if not given.
    reader_options : dict, optional
        The reader's options, such as ``skip_bad=True``.
    **options
        Fields of `ImportParams`.

    Raises
    ------
    InputError
        If there is nothing at ``path`` that a reader takes, or an option is not allowed.
    """

    def __init__(
        self,
        registry: Registry,
        path: str | Path,
        *,
        reader: str | None = None,
        reader_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.path = Path(path)
        if reader:
            self.reader = find_backend(registry, "reader", reader)
        else:
            self.reader = registry.reader_for(self.path)
        self.reader_options = reader_options or {}
        self.params = make(ImportParams, options, "import")
        self.record = {
            "source": str(self.path.absolute()),
            **self.reader.params(**self.reader_options).model_dump(mode="json"),
            **self.params.model_dump(mode="json"),
        }

    @cached_property
    def source(self) -> FrameSource:
        """The opened frames."""
        source: FrameSource = self.reader.make(**self.reader_options).open(self.path)
        return source

    @cached_property
    def images(self) -> dict[str, Array]:
        """The corrections and the mask that the user gave, by the store's names for them."""
        shape = self.source.shape
        images = {}
        for name in CORRECTIONS:
            path = getattr(self.params, name)
            if path is not None:
                images[name] = load_image(Path(path), shape, name)
        if self.params.mask not in ("auto", "none"):
            images["valid"] = load_mask(Path(self.params.mask), shape)
        return images


def import_into(session: Session, series: Series, progress: Progress) -> Step:
    """Import a series as a step; go on with it if an earlier import of the same was cut short."""
    earlier = session.latest("import")
    if earlier is not None and earlier.params != series.record:
        raise SessionExists(
            f"{session.path} already holds {earlier.params['source']}, imported with other options",
            "choose another name, or replace it with --overwrite",
        )
    before = [step.params for step in session.steps if step.kind == "import"]
    goes_on = bool(before) and before[-1] == series.record

    def work(writer: StepWriter) -> None:
        source, images = series.source, series.images  # what is wrong is said before the copying
        store = open_store(session.store_path, source, goes_on)
        copy_frames(source, store, progress)
        notes = describe_frames(store, images, series.params, progress)
        writer.write(source.index)
        writer.note(*source.notes, *source.skipped, *notes)

    return add_step(
        session,
        "import",
        work,
        params=series.record,
        inputs=[],
        spec=tables.INDEX,
        backend=series.reader.address,
        version=series.reader.version,
        env=series.reader.env,
    )


def open_store(path: Path, source: FrameSource, goes_on: bool) -> Store:
    """A store for this source: a new one, or that of an unfinished import of the same."""
    if goes_on and path.exists():
        with suppress(SessionDamaged):  # killed before the store was whole
            store = Store.open(path)
            wanted = (len(source), source.shape, source.dtype.newbyteorder("<"))
            if (store.n_frames, store.shape, store.dtype) == wanted:
                return store
    shutil.rmtree(path, ignore_errors=True)  # no finished import refers to it
    return Store.create(path, len(source), source.shape, source.dtype)


def copy_frames(source: FrameSource, store: Store, progress: Progress) -> None:
    """Copy the frames that the store does not hold yet."""
    total = len(source)
    progress("import", store.n_valid, total)
    frames = (source.read(i) for i in range(store.n_valid, total))
    with closing(store.extend(frames)) as counts:
        for done in counts:
            progress("import", done, total)


def describe_frames(
    store: Store, images: dict[str, Array], params: ImportParams, progress: Progress
) -> list[str]:
    """Put corrections, mask, noise model and saturation into the store; return notes for people."""
    progress("mask", 0, 1)
    drawn = images.get("valid")
    for name in images.keys() - {"valid"}:
        store.put_image(name, images[name])
    notes = [f"mask: {params.mask}"]
    if drawn is not None:
        hot = hot_pixels(store.frames()) & drawn
        store.put_image("valid", drawn & ~hot)
        notes.append(f"{hot.sum()} hot pixels besides")
    store.set(background_mode=params.background_mode)
    store.set(saturation=estimate_saturation(store.frames()))
    if params.mask == "auto":
        found = auto_mask(store.frames())
        store.put_image("valid", found.valid)
        notes = list(found.notes)
    frames = store.frames()
    measured = measure_noise(frames)
    noise = measured.model
    store.set(gain=noise.gain, read_noise=noise.read_noise, black=noise.black)
    progress("mask", 1, 1)
    notes += [
        f"{100 * frames.valid.mean():.1f} % of the frame is used",
        *measured.notes,
    ]
    if frames.saturation is not None:
        notes.append(f"pixels saturate at {frames.saturation:.6g} counts")
    return notes


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
    pages = np.stack([source.read(i) for i in range(len(source))])
    mean: Array = pages.mean(axis=0, dtype=np.float64)
    return mean
