"""Tables are read in larger pieces than they are worked on."""

from __future__ import annotations

import numpy as np
import pytest

from trackleed.pipeline.engine import AHEAD, blocks, rows_of_blocks


@pytest.mark.parametrize("n_frames", [1, 8, 9, 300, 300 + AHEAD])
def test_every_block_gets_its_rows(n_frames: int) -> None:
    frame = np.repeat(np.arange(n_frames), np.arange(n_frames) % 4)  # some have none
    table = {"frame": frame, "x": np.arange(len(frame)) / 2}
    read: list[range] = []

    def rows(span: range) -> dict[str, np.ndarray]:
        read.append(span)
        here = np.isin(frame, span)
        return {name: values[here] for name, values in table.items()}

    spans = blocks(n_frames)
    parts = list(rows_of_blocks(rows, spans))
    assert len(parts) == len(spans)
    assert len(read) == -(-len(spans) // AHEAD)
    for span, part in zip(spans, parts, strict=True):
        assert np.isin(part["frame"], span).all()
    for name, values in table.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), values)
