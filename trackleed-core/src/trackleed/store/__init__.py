"""The frames of one session on disk: a zarr group (format 3) with one raw chunk file a frame.

    store.zarr/
        zarr.json                 how many frames are valid, settings, which images there are
        frames/                   array (t, y, x) in the dtype of the source
            c.0.0.0, c.1.0.0 ...  one frame each, row after row, little-endian, uncompressed
        background/, dark/, flat/, valid/     arrays (y, x), one chunk each

zarr makes the arrays; the chunks are plain files and are written and read as such,
so that any process can read a frame with ``numpy.fromfile`` and needs no zarr.
There is one writer at a time.
"""

from trackleed.store.layout import IMAGES, SETTINGS
from trackleed.store.store import Store, open_frames

__all__ = ["IMAGES", "SETTINGS", "Store", "open_frames"]
