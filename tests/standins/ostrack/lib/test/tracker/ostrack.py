from lib.test.tracker.basetracker import BaseTracker
from lib.train.data.processing_utils import cut_out


class OSTrack(BaseTracker):
    def __init__(self, params, dataset_name):
        super().__init__(params)
        self.network.cuda()

    def initialize(self, image, info):
        box = info["init_bbox"]
        assert isinstance(box, list)
        assert all(type(v) is float for v in box)
        p = self.params
        patch, _, outside = cut_out(image, box, p.template_factor, p.template_size)
        self.template = self.preprocessor.process(patch, outside)
        self.state = box

    def track(self, image, info=None):
        p = self.params
        patch, resize_factor, outside = cut_out(image, self.state, p.search_factor, p.search_size)
        search = self.preprocessor.process(patch, outside)
        out = self.network.forward(template=self.template.tensors, search=search.tensors)
        head = self.network.box_head
        head.cal_bbox(out["score_map"], out["size_map"], out["offset_map"])
        response = self.output_window * out["score_map"]
        box = head.cal_bbox(response, out["size_map"], out["offset_map"]).view(-1, 4)
        found = (box.mean(axis=0) * p.search_size / resize_factor).tolist()
        left, top, width, height = self.map_box_back(found, resize_factor)
        rows, columns = image.shape[:2]
        # No smaller than 10 px, and not outside.
        left, top = min(max(left, 0), columns - 10), min(max(top, 0), rows - 10)
        self.state = [left, top, max(width, 10), max(height, 10)]
        return {"target_bbox": self.state}

    def map_box_back(self, pred_box, resize_factor):
        raise AssertionError("this is up to half a pixel off: the window begins at a whole pixel")
