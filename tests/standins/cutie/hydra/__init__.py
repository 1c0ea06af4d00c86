import contextlib
from pathlib import Path
from types import SimpleNamespace

_folder = []


@contextlib.contextmanager
def initialize_config_dir(config_dir, job_name="app", version_base=None):
    assert Path(config_dir).is_absolute()
    assert Path(config_dir, "eval_config.yaml").is_file()
    _folder.append(config_dir)
    yield
    _folder.pop()


def compose(config_name, overrides=()):
    assert _folder
    assert config_name == "eval_config"
    return SimpleNamespace(**dict(each.split("=") for each in overrides))
