"""Discovery with packages that are really installed: sound, broken, stale and clashing ones."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from zipfile import ZipFile

import pytest

from trackleed.errors import BackendFailed, BackendNotFound, BackendNotReady, ParamsError
from trackleed.registry import DISABLE, Registry

HEAD = """
from trackleed.backend import BackendSpec
from trackleed.hooks import hookimpl
from trackleed.params import Params, option
"""


def tracker(*lines: str) -> str:
    """Source of a module with one tracker hook of these lines."""
    return HEAD + "@hookimpl\ndef trackleed_trackers():\n" + "".join(f"    {x}\n" for x in lines)


def spec(name: str, **fields: str) -> str:
    rest = "".join(f", {key}={value}" for key, value in fields.items())
    factory = "" if "factory" in fields else ", factory='plug_works:Made'"
    return f"yield BackendSpec(name={name!r}, summary='s'{factory}{rest})"


WORKING = f"""{HEAD}
class Options(Params):
    gap: int = option(3, "Gap", ge=0)

class Made:
    def __init__(self, params):
        self.params = params

@hookimpl
def trackleed_trackers():
    {spec("plug-works", params="Options")}
    {spec("plug-works-too", factory="'plug_works:Nothing'")}
    {spec("plug-absent", factory="'plug_works.absent:Made'")}
    {spec("plug-stops", factory="'plug_works:stops'")}
    {spec("plug-picky", factory="'plug_works:picky'")}
    {
    spec(
        "plug-needy",
        requires="('json', 'no_such_x', 'no_such_y')",
        install="'pip install no-such-x'",
    )
}

def stops(params):
    raise OSError("disc full")

def picky(params):
    from trackleed.errors import ParamsError
    raise ParamsError("plug-picky: not both", "drop one")
"""

PLUGINS = {
    "plug-works": WORKING,
    "plug-raises": "1 / 0",
    "plug-exits": "raise SystemExit(3)",
    "plug-stale": None,  # its module was removed
    "plug-misspelt": HEAD + "@hookimpl\ndef trackleed_trakers():\n    yield 1\n",
    "plug-argument": HEAD + "@hookimpl\ndef trackleed_trackers(config):\n    yield 1\n",
    "plug-silent": "x = 1",
    "plug-odd": tracker("yield 'kalman'", spec("plug-odd")),
    "plug-bare": tracker("return BackendSpec(name='plug-bare', summary='s', factory='a:B')"),
    "plug-unfit": tracker(
        spec("Plug@Home"),
        spec("plug-options", params="dict"),
        spec("plug-text", requires="'json'"),
        spec("plug-fit"),
    ),
    "plug-future": tracker(spec("plug-future", api="99"), spec("plug-present")),
    "plug-midway": tracker(spec("plug-early"), "raise RuntimeError('no licence')", "yield 1")
    + "@hookimpl\ndef trackleed_detectors():\n    " + spec("plug-detector"),
    "plug-double": tracker(spec("plug-same"), spec("plug-same", family="'second'")),
    "twin-one": tracker(spec("twin", family="'one'")),
    "twin-two": tracker(spec("twin", family="'two'")),
}  # fmt: skip


def wheel(folder: Path, dist: str, source: str | None) -> Path:
    """Write a wheel with one module, which an entry point names."""
    module = dist.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    path = folder / f"{module}-1.0-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        if source is not None:
            archive.writestr(f"{module}.py", dedent(source))
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", f"[trackleed]\nmain = {module}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that pip installed all the plugins into."""
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    paths = [str(wheel(wheels, dist, source)) for dist, source in PLUGINS.items()]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "--no-index", "--no-deps", "--no-compile", "--target", str(target), *paths],
        check=True,
    )
    return target


@pytest.fixture
def registry(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    importlib.invalidate_caches()
    yield Registry.discover()
    for dist in PLUGINS:
        sys.modules.pop(dist.replace("-", "_"), None)


def reasons(registry: Registry, dist: str) -> list[str]:
    return [problem.reason for problem in registry.problems if problem.dist == dist]


def test_descriptions_that_cannot_be_used_are_reported_one_by_one(registry: Registry) -> None:
    assert reasons(registry, "plug-unfit") == [
        "tracker 'Plug@Home' is not named in lower-case letters, digits and hyphens",
        "tracker 'plug-options' has <class 'dict'> as options, not a subclass of Params",
        "tracker 'plug-text' requires 'json', which must be a tuple of module names",
    ]


@pytest.mark.parametrize(
    ("dist", "reason"),
    [
        ("plug-raises", "ZeroDivisionError: division by zero"),
        ("plug-exits", "SystemExit: 3"),
        ("plug-stale", "No module named 'plug_stale'"),
        ("plug-misspelt", "unknown hook 'trackleed_trakers'"),
        ("plug-argument", "config"),
        ("plug-silent", "implements no hook"),
        ("plug-odd", "yields 'kalman' as a tracker, not a BackendSpec"),
        ("plug-bare", "not iterable"),
        ("plug-future", "tracker 'plug-future' needs contract 99, this trackleed has 1"),
        ("plug-midway", "RuntimeError: no licence"),
        ("plug-double", "has two trackers called 'plug-same'; the first is kept"),
    ],
)
def test_a_broken_package_is_reported_with_the_reason(
    registry: Registry, dist: str, reason: str
) -> None:
    (told,) = reasons(registry, dist)
    assert reason in told
    assert "\n" not in told


def test_sound_backends_of_all_packages_are_kept(registry: Registry) -> None:
    found = {b.spec.name for b in registry.backends if b.dist.startswith(("plug-", "twin-"))}
    words = "works works-too absent stops picky needy odd fit present early detector same"
    assert found == {f"plug-{word}" for word in words.split()} | {"twin"}
    assert reasons(registry, "plug-works") == []


def test_the_cores_own_backends_are_found_like_anybodys(registry: Registry) -> None:
    assert {b.kind for b in registry.backends if b.dist == "trackleed-core"} == {
        "reader",
        "refiner",
        "exporter",
    }
    assert reasons(registry, "trackleed-core") == []


def test_two_providers_of_one_name_are_both_kept(registry: Registry) -> None:
    for dist, family in (("twin-one", "one"), ("twin-two", "two")):
        backend = registry.find("tracker", f"{dist}:twin")
        assert (backend.dist, backend.version, backend.spec.family) == (dist, "1.0", family)


def test_the_bare_name_of_two_providers_is_an_error_that_lists_both(registry: Registry) -> None:
    with pytest.raises(BackendNotFound) as caught:
        registry.find("tracker", "twin")
    assert str(caught.value) == (
        "2 packages have a tracker 'twin' — say twin-one:twin (1.0) or twin-two:twin (1.0)"
    )


def test_the_first_of_two_in_one_package_is_kept(registry: Registry) -> None:
    assert registry.find("tracker", "plug-same").spec.family == ""


def test_an_unknown_name_is_refused_with_those_installed(registry: Registry) -> None:
    with pytest.raises(BackendNotFound, match=r"no tracker is called 'kalman'.*plug-works") as e:
        registry.find("tracker", "kalman")
    assert e.value.hint == "see: trackleed backends"


def test_a_name_is_looked_up_among_its_kind(registry: Registry) -> None:
    with pytest.raises(BackendNotFound, match="no detector is called 'plug-works'"):
        registry.find("detector", "plug-works")


def test_a_backend_is_made_with_its_options(registry: Registry) -> None:
    backend = registry.find("tracker", "plug-works")
    assert backend.state == "ready"
    assert backend.make().params.gap == 3
    assert backend.make(gap="7").params.gap == 7
    with pytest.raises(ParamsError, match="plug-works: option gap = -1"):
        backend.make(gap=-1)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("plug-works-too", "plug_works:Nothing: AttributeError"),
        ("plug-absent", "plug_works.absent:Made: ModuleNotFoundError"),
        ("plug-stops", "plug_works:stops: OSError: disc full"),
    ],
)
def test_a_factory_that_fails_is_told_with_its_package(
    registry: Registry, name: str, reason: str
) -> None:
    with pytest.raises(BackendFailed) as caught:
        registry.find("tracker", name).make()
    assert f"tracker '{name}' of plug-works could not be loaded from {reason}" in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_factory_may_refuse_its_options(registry: Registry) -> None:
    with pytest.raises(ParamsError, match="not both"):
        registry.find("tracker", "plug-picky").make()


def test_a_missing_requirement_is_named_with_the_command_that_mends_it(
    registry: Registry,
) -> None:
    backend = registry.find("tracker", "plug-needy")
    assert backend.missing == ("no_such_x", "no_such_y")
    assert backend.state == "missing no_such_x, no_such_y: pip install no-such-x"
    with pytest.raises(BackendNotReady, match="needs no_such_x, no_such_y") as caught:
        backend.make()
    assert caught.value.hint == "pip install no-such-x"


def test_a_package_can_be_left_out(
    registry: Registry, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DISABLE, "other, main")
    left = Registry.discover()
    assert not [b for b in left.backends if b.dist.startswith("plug-")]
    assert [b for b in left.backends if b.dist == "trackleed-core"]
    assert not [p for p in left.problems if p.dist.startswith("plug-")]
