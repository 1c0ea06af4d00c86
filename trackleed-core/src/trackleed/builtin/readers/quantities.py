"""Numbers with units, as people and instruments write them, into the columns of ``index``.

A quantity whose unit is not said is used only where the field knows a single
one (beam energy in eV, coverage in ML, counts); a bare temperature, time or
current stays unknown.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import NamedTuple, TypeAlias

Record: TypeAlias = "dict[str, float | str | datetime]"
"""What one source says of one frame: columns of ``index`` and others, and perhaps a ``stamp``."""

STAMP = "stamp"
"""Key of a record's date and time of day."""

_UNITS: dict[str, dict[str, tuple[float, float]]] = {  # unit: value * factor + offset
    "energy_eV": {"ev": (1, 0), "kev": (1e3, 0), "v": (1, 0), "kv": (1e3, 0)},
    "temperature_K": {
        "k": (1, 0), "c": (1, 273.15), "°c": (1, 273.15), "ºc": (1, 273.15), "degc": (1, 273.15),
    },
    "time_s": {
        "s": (1, 0), "sec": (1, 0), "ms": (1e-3, 0), "min": (60, 0), "h": (3600, 0),
    },
    "coverage_ML": {"ml": (1, 0)},
    "beam_current_A": {
        "a": (1, 0), "ma": (1e-3, 0), "ua": (1e-6, 0), "μa": (1e-6, 0), "na": (1e-9, 0),
        "pa": (1e-12, 0),
    },
    "pressure_mbar": {
        "mbar": (1, 0), "hpa": (1, 0), "pa": (1e-2, 0), "torr": (1.33322368, 0),
    },
    "n_averaged": {"": (1, 0)},
}  # fmt: skip
_UNITS["exposure_s"] = _UNITS["time_s"]

_NAMES: dict[str, tuple[str, ...]] = {
    "energy_eV": (
        "e", "energy", "beam energy", "electron energy", "kinetic energy", "beam voltage",
        "start voltage",
    ),
    "temperature_K": ("t", "temp", "temperature", "sample temp", "sample temperature"),
    "time_s": ("t", "time", "elapsed", "elapsed time"),
    "coverage_ML": ("coverage", "theta"),
    "exposure_s": ("exposure", "exposure time", "integration time"),
    "beam_current_A": ("i0", "beam current"),
    "pressure_mbar": ("p", "pressure"),
    "n_averaged": ("n averaged", "number of frames", "averaged frames", "frames averaged"),
}  # fmt: skip

NUMERIC = tuple(_NAMES)
"""Columns of numbers that metadata may fill."""
TEXT = ("element", "surface")
"""Columns of words that metadata may fill."""
GROUPS = (
    *NUMERIC, "energy_keV", "temperature_C", "time_min", "time_h", "exposure_ms",
    "beam_current_uA", "beam_current_nA", *TEXT,
)  # fmt: skip
"""Names that the groups of a user's regular expression may have."""

_DEFAULT_UNIT = {"energy_eV": "ev", "coverage_ML": "ml", "n_averaged": ""}
_BLANK = frozenset(("", "-", "--", "nan", "n/a", "na", "none", "null"))
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_BRACKETED = re.compile(r"(?P<name>[^(\[]*)[(\[]\s*(?P<unit>[^)\]]*?)\s*[)\]]\s*(?P<rest>.*)")
_SLASHED = re.compile(r"(?P<name>[^/]*)/\s*(?P<unit>\S+)\s*(?P<rest>.*)")


class Quantity(NamedTuple):
    """What a column header or label stands for."""

    column: str
    factor: float
    offset: float
    exact: bool  # nothing else stood in the header

    def convert(self, value: float) -> float:
        """A value in the header's unit, in the unit of the column.

        Raises
        ------
        ValueError
            If it is a temperature below absolute zero.
        """
        converted = value * self.factor + self.offset
        if self.column == "temperature_K" and converted < 0:
            raise ValueError(f"{value:g} is below absolute zero")
        return converted


def number(text: str) -> float:
    """The number in ``text``; NaN where it is blank or says "n/a".

    A comma is a decimal comma, U+2212 a minus sign.

    Raises
    ------
    ValueError
        If it is not one finite number.
    """
    plain = text.strip().replace("−", "-")
    if plain.casefold() in _BLANK:
        return math.nan
    if not _NUMBER.fullmatch(plain):
        raise ValueError(f"{text!r} is not a number")
    value = float(plain.replace(",", "."))
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is out of range")
    return value


def quantity(header: str) -> Quantity | None:
    """What ``header`` stands for: ``energy (eV)``, ``T [°C]``, ``I0/uA``, ``time_min`` ...

    None if its name is not known, or if its unit is not said and not obvious.
    """
    split = _BRACKETED.fullmatch(header.strip()) or _SLASHED.fullmatch(header.strip())
    if split:
        found = unit_of(_plain(split["name"]), split["unit"])
        return found and found._replace(exact=not split["rest"])
    words = _plain(header).split()
    for n in range(len(words), 0, -1):
        name, rest = " ".join(words[:n]), words[n:]
        found = unit_of(name, rest[0]) if rest else unit_of(name, None)
        if found:
            return found._replace(exact=len(rest) <= 1)
    return None


def unit_of(name: str, unit: str | None) -> Quantity | None:
    """The quantity called ``name``, given in ``unit``; with None in its obvious unit."""
    for column, names in _NAMES.items():
        if name.casefold() not in names:
            continue
        spelled = _DEFAULT_UNIT.get(column) if unit is None else unit.casefold()
        if spelled is not None and spelled in _UNITS[column]:
            return Quantity(column, *_UNITS[column][spelled], exact=True)
    return None


def put(record: Record, meaning: Quantity, text: str) -> None:
    """Add a value that an instrument wrote, unless it has one already or wrote no possible one."""
    try:
        value = meaning.convert(number(text))
    except ValueError:
        return
    if not math.isnan(value):
        record.setdefault(meaning.column, value)


def _plain(name: str) -> str:
    return " ".join(re.split(r"[_\s-]+", name.strip())).casefold()
