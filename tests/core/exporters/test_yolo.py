from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trackleed import params
from trackleed.builtin.exporters.params import YoloParams
from trackleed.builtin.exporters.yolo import YoloExporter
from trackleed.errors import InputError
from trackleed.frames import ArraySource, FrameSequence


def export(view, folder: Path, **options) -> list[Path]:
    exporter = YoloExporter(params.make(YoloParams, options, "yolo"))
    return list(exporter.export(view, folder))


def boxes(folder: Path, frame: int) -> np.ndarray:
    """Class, centre and size of the boxes of a frame, in px of 100 x 80."""
    (path,) = (folder / "yolo" / "labels").glob(f"*/*_{frame:04d}.txt")
    rows = [[float(cell) for cell in line.split()] for line in path.read_text().splitlines()]
    return np.array(rows).reshape(-1, 5) * [1, 100, 80, 100, 80]


def test_every_image_has_its_labels(view, tmp_path) -> None:
    written = export(view, tmp_path)
    root = tmp_path / "yolo"
    names = {p.relative_to(root / "images").with_suffix("") for p in root.glob("images/*/*.png")}
    assert names == {
        p.relative_to(root / "labels").with_suffix("") for p in root.glob("labels/*/*.txt")
    }
    assert len(names) == 10
    assert len(written) == len(set(written)) == 21
    assert all(p.stem.startswith("Ir(111)_") for p in root.glob("images/*/*.png"))


def test_boxes_stand_where_the_spots_are(view, tmp_path) -> None:
    export(view, tmp_path)
    found = boxes(tmp_path, 2)
    assert found[:, 0].tolist() == [0, 0, 0, 0]
    # A pixel's centre is at an integer for us, half a pixel further on the image.
    np.testing.assert_allclose(found[0, 1:], [21.5, 20.5, 16, 16], atol=1e-3)
    with Image.open(next((tmp_path / "yolo").glob("images/*/*_0002.png"))) as image:
        assert image.mode == "L"
        assert image.size == (100, 80)
        levels = np.asarray(image)
    assert levels[20, 21] == 255
    assert levels[40, 50] < 60


def test_spots_that_were_not_seen_have_no_box(view, tmp_path) -> None:
    tracks = view.known["tracks"]
    tracks.loc[tracks["track_id"] == 1, "state"] = "predicted"
    export(view, tmp_path)
    assert len(boxes(tmp_path, 4)) == 2
    tracks["state"] = "lost"
    export(view, tmp_path)
    assert len(boxes(tmp_path, 4)) == 0


def test_boxes_end_at_the_edge_of_the_image(view, tmp_path) -> None:
    tracks = view.known["tracks"]
    tracks.loc[0, ["x", "y", "width", "height"]] = [2.0, 79.0, 10.0, 6.0]
    export(view, tmp_path)
    np.testing.assert_allclose(boxes(tmp_path, 0)[0, 1:], [3.75, 78.25, 7.5, 3.5], atol=1e-3)


def test_one_grey_scale_for_the_whole_series(view, tmp_path) -> None:
    dim = np.stack([frame // (1 + i) for i, frame in enumerate(view.frames)])
    view.frames = FrameSequence(ArraySource(dim))
    export(view, tmp_path)
    brightest = []
    for i in (0, 9):
        with Image.open(next((tmp_path / "yolo").glob(f"images/*/*_000{i}.png"))) as image:
            brightest.append(np.asarray(image).max())
    assert brightest[0] == 255
    assert brightest[1] < 120
    assert "gamma 0.5" in (tmp_path / "yolo" / "data.yaml").read_text()


@pytest.mark.parametrize(("share", "n"), [(0.2, 2), (0.5, 5), (0.0, 0)])
def test_frames_for_validation_are_spread_evenly(view, tmp_path, share, n) -> None:
    export(view, tmp_path, validation=share)
    root = tmp_path / "yolo"
    frames = sorted(int(p.stem[-4:]) for p in root.glob("images/val/*.png"))
    assert len(frames) == n
    assert len(set(np.diff(frames))) <= 1
    lines = (root / "data.yaml").read_text().splitlines()
    assert lines[1:] == [
        "train: images/train",
        "val: images/val" if n else "val: images/train",
        "names:",
        "  0: spot",
    ]


def test_detections_serve_where_there_are_no_tracks(view, tmp_path) -> None:
    del view.known["tracks"]
    with pytest.raises(InputError, match="no detections — run: trackleed detect"):
        export(view, tmp_path)
    spot = {"x": 30.0, "y": 40.0, "width": 10.0, "height": 8.0, "score": 5.0}
    view.known["detections"] = pd.DataFrame([{"frame": 3} | spot, {"frame": 3} | spot])
    export(view, tmp_path)
    assert len(boxes(tmp_path, 3)) == 2
    assert len(boxes(tmp_path, 4)) == 0
    with pytest.raises(InputError, match="no tracks"):
        export(view, tmp_path, labels="tracks")


def test_a_spot_without_a_size_is_not_passed_over(view, tmp_path) -> None:
    view.known["tracks"].loc[21, "width"] = np.nan
    with pytest.raises(InputError, match="frame 5 has no width"):
        export(view, tmp_path)
