"""What lies where in a store, and how it is read and written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from trackleed.errors import SessionDamaged, SessionError
from trackleed.files import locked, replace
from trackleed_kit import chunks
from trackleed_kit.errors import Damaged

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

META = "zarr.json"

IMAGES: dict[str, np.dtype[Any]] = {
    "background": np.dtype("<f4"),
    "dark": np.dtype("<f4"),
    "flat": np.dtype("<f4"),
    "valid": np.dtype("bool"),
}
"""Images that a store may hold, and the type that each is kept in."""

SETTINGS = ("saturation", "gain", "read_noise", "black", "background_mode")
"""What may be known about all frames; the meaning is in `trackleed.frames`."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Be the one writer of the store ``path``."""
    with locked(path.with_name(f"{path.name}.lock"), str(path)):
        try:
            yield
        except OSError as error:
            raise SessionError(f"cannot write to {path}: {error.strerror or error}") from error


def make_array(folder: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """An empty zarr array whose chunks are single frames: raw, in one folder."""
    import zarr

    zarr.create_array(
        folder,
        shape=shape,
        chunks=(1,) * (len(shape) - 2) + shape[-2:],
        dtype=dtype,
        compressors=None,
        filters=None,
        fill_value=0,
        chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=("t", "y", "x")[-len(shape) :],
        zarr_format=3,
    )


def read_array(folder: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array that `make_array` made.

    Raises
    ------
    SessionDamaged
        If there is none, or if it is laid out in another way.
    """
    meta = _read_json(folder / META)
    try:
        shape = tuple(int(n) for n in meta["shape"])
        dtype = np.dtype(meta["data_type"]).newbyteorder("<")
        [codec] = meta["codecs"]
        ours = (
            codec["name"] == "bytes"
            and codec.get("configuration", {}).get("endian", "little") == "little"
            and meta["chunk_grid"]["configuration"]["chunk_shape"][-2:] == list(shape[-2:])
            and meta["chunk_key_encoding"]["configuration"]["separator"] == "."
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SessionDamaged(f"{folder / META} does not describe an array: {error!r}") from error
    if not ours:
        raise SessionDamaged(f"{folder} is not laid out as one raw chunk a frame")
    return shape, dtype


def read_state(path: Path, n_frames: int) -> dict[str, Any]:
    """``n_valid``, ``settings`` and ``images`` of a store.

    Raises
    ------
    SessionDamaged
        If they cannot be read or make no sense.
    """
    state = _read_json(path / META).get("attributes")
    if not (
        isinstance(state, dict)
        and isinstance(state.get("settings"), dict)
        and isinstance(state.get("images"), list)
        and set(state["images"]) <= set(IMAGES)
        and isinstance(state.get("n_valid"), int)
        and 0 <= state["n_valid"] <= n_frames
    ):
        raise SessionDamaged(f"{path / META} does not say how many frames are valid")
    return state


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write what `read_state` reads, whole or not at all.

    It does not wait for the disk, as it is called for every frame: see `Store.sync`.
    """
    meta = {"zarr_format": 3, "node_type": "group", "attributes": state}
    replace(path / META, json.dumps(meta, indent=2).encode(), aside=aside(path), durable=False)


def aside(path: Path) -> Path:
    """Where files of a store are begun: beside it, as zarr knows all that may lie inside."""
    return path.with_name(f"{path.name}.part")


def read_chunk(file: Path, shape: tuple[int, int], dtype: np.dtype[Any], what: str) -> Array:
    """One image (y, x), read-only, from its chunk file.

    Raises
    ------
    SessionDamaged
        If the file is missing, unreadable or of the wrong size.
    """
    try:
        return chunks.read_chunk(file, shape, dtype, what)
    except Damaged as error:
        raise SessionDamaged(error.message) from error


class Chunks(chunks.Chunks):
    """The first ``n`` frames of a store, for a `FrameSequence`."""

    def read(self, i: int) -> Array:
        """Frame ``i``, read-only array (y, x)."""
        try:
            return super().read(i)
        except Damaged as error:
            raise SessionDamaged(error.message) from error


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise SessionDamaged(f"cannot be read: {error.strerror}: {file}") from error
    except ValueError as error:
        raise SessionDamaged(f"{file} is not readable JSON: {error}") from error
    if not isinstance(content, dict):
        raise SessionDamaged(f"{file} is not a JSON object")
    return content
