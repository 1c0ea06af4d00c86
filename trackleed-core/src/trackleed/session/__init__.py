"""A session: one directory that holds a series and every step that was done with it.

    NAME.trackleed/
        session.json               the steps: what was done, with what, from what, and how it ended
        store.zarr/                the frames (see `trackleed.store`)
        tables/<step>.parquet      what each step found
        logs/, exports/            made when something is put there
        session.lock, store.zarr.lock     held for moments, while something is written

Steps are only ever added, and a step that has ended is never changed. A session whose
process was killed opens again with every step that had ended; reading needs no lock.
"""

from trackleed.session.record import KINDS, Step, StepKind
from trackleed.session.session import Session
from trackleed.session.writer import StepWriter

__all__ = ["KINDS", "Session", "Step", "StepKind", "StepWriter"]
