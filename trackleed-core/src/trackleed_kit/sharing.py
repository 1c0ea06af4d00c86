"""A sequence of frames as one process tells another of it: where its pixels are, and the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Mapping, Tuple

import numpy as np

from trackleed_kit.chunks import Chunks, frame_file
from trackleed_kit.frames import Correction, FrameSequence, NoiseModel

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


def describe(frames: FrameSequence, spare: Path) -> Tuple[Dict[str, Any], Dict[str, Array]]:
    """What `rebuild` needs, as JSON has it and as arrays.

    Parameters
    ----------
    frames : FrameSequence
    spare : Path
        An empty folder, to which frames are copied that are not in chunk files already.
    """
    source = frames.source
    if not isinstance(source, Chunks):
        source = _copied(frames, spare)
    noise = frames.noise
    fields: Dict[str, Any] = {
        "folder": str(source.folder.absolute()),
        "n": source.n,
        "shape": frames.shape,
        "dtype": source.dtype.str,
        "noise": [noise.gain, noise.read_noise, noise.black],
        "saturation": frames.saturation,
    }
    arrays: Dict[str, Array] = {"valid": frames.valid}
    if frames.correction is not None:
        fields["correction"] = frames.correction.mode
        arrays.update({"correction/" + k: v for k, v in frames.correction.parts().items()})
    arrays.update({"index/" + name: values for name, values in frames.index.items()})
    return fields, arrays


def rebuild(fields: Mapping[str, Any], arrays: Mapping[str, Array]) -> FrameSequence:
    """The sequence that was described."""

    def group(name: str) -> Dict[str, Array]:
        return {k[len(name) :]: v.copy() for k, v in arrays.items() if k.startswith(name)}

    shape = (int(fields["shape"][0]), int(fields["shape"][1]))
    correction = None
    if "correction" in fields:
        correction = Correction.of_parts(fields["correction"], group("correction/"))
    return FrameSequence(
        Chunks(Path(fields["folder"]), int(fields["n"]), shape, np.dtype(fields["dtype"])),
        index=group("index/"),
        valid=arrays["valid"],
        noise=NoiseModel(*fields["noise"]),
        saturation=fields["saturation"],
        correction=correction,
    )


def _copied(frames: FrameSequence, folder: Path) -> Chunks:
    dtype = np.dtype(frames.source.dtype).newbyteorder("<")
    for i in range(len(frames)):
        np.ascontiguousarray(frames.raw(i), dtype).tofile(str(frame_file(folder, i)))
    return Chunks(folder, len(frames), frames.shape, dtype)
