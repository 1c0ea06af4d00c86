"""A simulated series as files."""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from trackleed import __version__
from trackleed.errors import InputError
from trackleed.scoring import LABELS_CSV, of_truth
from trackleed.simulate.simulation import Simulation

Format = Literal["tif", "png"]


def write(
    sim: Simulation,
    folder: str | Path,
    format: Format = "tif",
    on_frame: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write a series into a new folder, whole or not at all.

    Frames are named so that a reader finds temperature, energy and coverage, for example
    ``Ag_111_0007_T300K_E95.5eV_0.25ML.tif``. What belongs to the truth lies in ``truth/`` below,
    where no reader takes it for frames or for their index: ``truth.parquet``, ``truth.csv``,
    ``labels.csv`` (what a tracker should find, as ``trackleed bench`` reads it), ``index.csv``,
    ``valid.png`` (255 where the screen is valid) and ``simulation.json``.

    Parameters
    ----------
    sim : Simulation
    folder : path
        Must not be there yet, or be empty.
    format : {"tif", "png"}
    on_frame : callable, optional
        Called with the number of frames written and of all frames.

    Returns
    -------
    list of Path
        The frames, in order.

    Raises
    ------
    InputError
        If the folder is not empty or cannot be written, or the format is not known.
    """
    folder = Path(folder)
    if format not in get_args(Format):
        raise InputError(
            f"format {format!r} is not known; allowed are {', '.join(get_args(Format))}"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already and not empty", "name a new folder")
    names = [f"{sim.stem(i)}.{format}" for i in range(len(sim))]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as aside:
            whole = Path(aside) / "whole"
            whole.mkdir()
            for i, name in enumerate(names):
                _write_image(whole / name, sim.frame(i))
                if on_frame is not None:
                    on_frame(i + 1, len(sim))
            _write_truth(sim, whole / "truth")
            if folder.exists():
                folder.rmdir()
            whole.rename(folder)
    except OSError as error:
        raise InputError(f"cannot write {folder}: {error}") from error
    return [folder / name for name in names]


def _write_image(path: Path, image: NDArray[Any]) -> None:
    if path.suffix == ".tif":
        import tifffile

        tifffile.imwrite(path, image, photometric="minisblack", metadata=None)
    else:
        from PIL import Image

        Image.fromarray(image).save(path)


def _write_truth(sim: Simulation, folder: Path) -> None:
    folder.mkdir()
    sim.truth.to_parquet(folder / "truth.parquet", index=False)
    sim.truth.to_csv(folder / "truth.csv", index=False)
    of_truth(sim.truth).to_csv(folder / LABELS_CSV, index=False)
    sim.index.to_csv(folder / "index.csv", index=False)
    _write_image(folder / "valid.png", sim.valid.astype(np.uint8) * 255)
    record = {
        "format": 1,
        "versions": {
            "trackleed": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "scenario": asdict(sim.scenario),
        "settings": asdict(sim.settings),
        "noise": vars(sim.noise),
        "saturation": sim.saturation,
    }
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    (folder / "simulation.json").write_text(text, encoding="utf-8")
