from urllib.error import URLError


def resnet18(pretrained=True, extra_dim=0, model_dir=None):
    if pretrained:
        raise URLError("a download")


resnet50 = resnet18
