from pathlib import Path
from types import SimpleNamespace as Part

cfg = Part(
    MODEL=Part(BACKBONE=Part(STRIDE=16)),
    TEST=Part(TEMPLATE_FACTOR=0, TEMPLATE_SIZE=0, SEARCH_FACTOR=0, SEARCH_SIZE=0),
)


def update_config_from_file(filename, base_cfg=None):
    assert Path(filename).is_file()
    # Smaller than upstream's, to be quick.
    large = "_384_" in filename
    cfg.TEST.TEMPLATE_FACTOR, cfg.TEST.TEMPLATE_SIZE = 2.0, 96 if large else 64
    cfg.TEST.SEARCH_FACTOR, cfg.TEST.SEARCH_SIZE = (5.0, 192) if large else (4.0, 128)
