"""Checks of what every backend says about itself."""

from __future__ import annotations

import json
import subprocess
import sys

from trackleed.errors import ParamsError
from trackleed.params import describe
from trackleed.testing.checks import check, require
from trackleed.testing.subject import Subject

HEAVY = ("torch", "cv2", "scipy", "pandas", "zarr", "matplotlib", "tensorflow", "jax")
"""Packages that discovery must not load."""

_DISCOVER = """
import json, sys
from trackleed.registry import Registry
registry = Registry.discover()
print(json.dumps([sorted(sys.modules), [b.address for b in registry.backends]]))
"""


@check()
def light_spec(subject: Subject) -> None:
    """Listing the backend imports neither its module nor anything heavy."""
    done = subprocess.run([sys.executable, "-c", _DISCOVER], capture_output=True, text=True)
    require(done.returncode == 0, f"discovery ended with: {done.stderr.strip()[-300:]}")
    loaded, addresses = json.loads(done.stdout.splitlines()[-1])
    spec = subject.backend.spec
    if subject.backend.address not in addresses:
        return  # registered by hand: nothing was discovered
    heavy = sorted({*HEAVY, spec.factory.partition(":")[0]} & set(loaded))
    require(not heavy, f"discovery loads {', '.join(heavy)}; import them where they are used")


@check()
def complete_spec(subject: Subject) -> None:
    """It has a one-line summary, a known licence, and says how to install what it requires."""
    spec = subject.backend.spec
    require(spec.summary.strip(), "its summary is empty")
    require("\n" not in spec.summary, "its summary has more than one line")
    require(spec.licence.strip(), "its licence is empty; name that of the code behind it")
    require(":" in spec.factory, f"its factory {spec.factory!r} is not of the form module:Class")
    if spec.requires:
        mends = spec.install or spec.recipe
        require(mends, f"it requires {', '.join(spec.requires)} and says no install command")
    odd = sorted({*spec.needs, *spec.takes} - {"seeds", "detections", "session"})
    require(not odd, f"it needs or takes {odd}; there are seeds, detections and session")


@check()
def described_options(subject: Subject) -> None:
    """Every option has a default and a meaning, and an unknown option is refused."""
    params = subject.backend.spec.params
    mute = [o["name"] for o in describe(params) if not o["help"]]
    require(not mute, f"options without a meaning: {', '.join(mute)}; declare them with option()")
    require(not (bad := _required(subject)), f"options without a default: {', '.join(bad)}")
    try:
        subject.backend.params(no_such_option=1)
    except ParamsError:
        return
    require(False, f"{params.__name__} takes an unknown option; derive it from trackleed's Params")


@check()
def params_round_trip(subject: Subject) -> None:
    """The options are the same after they were written to a session and read again."""
    made = subject.backend.params(**subject.options)
    again = type(made)(**json.loads(made.model_dump_json()))
    require(again == made, f"options {made!r} become {again!r} by way of JSON")


def _required(subject: Subject) -> list[str]:
    fields = subject.backend.spec.params.model_fields
    return [name for name, field in fields.items() if field.is_required()]


CHECKS = (light_spec, complete_spec, described_options, params_round_trip)
