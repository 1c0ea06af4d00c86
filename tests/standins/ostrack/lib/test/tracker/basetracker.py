from lib.train.data.processing_utils import cut_out  # noqa: F401
from lib.vis.visdom_cus import Visdom  # noqa: F401


class BaseTracker:
    def __init__(self, params):
        self.params = params
