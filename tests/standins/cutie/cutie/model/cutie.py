import torch
from cutie.model.utils import resnet


class CUTIE(torch.Module):
    def __init__(self, cfg, *, single_object=False):
        getattr(resnet, {"base": "resnet50", "small": "resnet18"}[cfg.model])(
            pretrained=True, model_dir=None
        )
        resnet.resnet18(pretrained=True, extra_dim=1, model_dir=None)
