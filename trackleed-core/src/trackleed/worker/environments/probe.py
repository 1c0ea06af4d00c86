"""Run by the interpreter of an environment, never imported: what can it import, and what has it.

Argument: a JSON object with ``paths`` and ``modules``. Prints a JSON object for each thing as it
is found, so that whatever ends the process is known by what it came after. Standard library
only, in the syntax of Python 3.8.
"""

import importlib
import json
import sys
from typing import Any, List, Optional


def say(**fields: Any) -> None:
    """One line, marked, among whatever the modules print."""
    print("\n@" + json.dumps(fields), flush=True)


def try_import(name: str) -> None:
    """Say a module's version, or why it cannot be imported."""
    say(importing=name)
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        reason = str(error).strip().partition("\n")[0]
        say(module=name, error=f"{type(error).__name__}: {reason}")
    else:
        say(module=name, version=str(getattr(module, "__version__", "")))


def devices() -> Optional[List[str]]:
    """Devices that torch sees; None where there is no torch."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    found = ["cpu"]
    mps = getattr(torch.backends, "mps", None)
    if mps is not None and mps.is_available():
        found.append("mps")
    if torch.cuda.is_available():
        found += ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    return found


def main() -> None:
    """Import each module, then look for devices."""
    asked = json.loads(sys.argv[1])
    # In the place of this file's folder, whose modules are nobody's business.
    sys.path[:1] = asked["paths"]
    say(python=".".join(map(str, sys.version_info[:3])))
    for name in asked["modules"]:
        try_import(name)
    say(devices=devices())


if __name__ == "__main__":
    main()
