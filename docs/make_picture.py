"""Make ``pictures/overview.png``: what ``trackleed run`` draws of a simulated energy ramp.

::

    python docs/make_picture.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

FILE = Path(__file__).parent / "pictures" / "overview.png"
WIDTH = 1000


def make(folder: Path) -> Image.Image:
    """Simulate, run, and make the exported picture smaller."""
    frames, session = folder / "frames", folder / "energy-ramp.trackleed"
    for arguments in (("simulate", "energy-ramp", frames), ("run", frames, session)):
        command = [sys.executable, "-m", "trackleed", *map(str, arguments)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    [drawn] = session.glob("exports/**/overview.png")
    with Image.open(drawn) as image:
        size = (WIDTH, round(image.height * WIDTH / image.width))
        small = image.convert("RGB").resize(size, Image.Resampling.HAMMING)
    return small.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        make(Path(name)).save(FILE, optimize=True)
    print(f"{FILE.name}: {FILE.stat().st_size / 1000:.0f} kB")
