"""What a file name says of its frame.

A number counts only with its unit, or with a label that leaves no doubt:
``20.5eV``, ``20,5 eV``, ``E95.5``, ``Beam Energy 100.0``, ``T300K``, ``-107C``,
``0.25ML``, ``12.5s``. Digits that belong to an element, a surface, a
superstructure (``MoS2``, ``Ru0001``, ``Ag_111_0007``, ``7x7``) or a date are no
numbers. A quantity that is named twice with different values, or as a range
(``20-150eV``), is unknown. A bare number at the end is never taken for an
energy: that is what the user's own regular expression is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trackleed.builtin.readers.quantities import Record, number, unit_of

_START = r"(?<![A-Za-z0-9])(?<!\d[.,])"  # neither inside a word nor inside a number
_END = r"(?![A-Za-z0-9])"
_UNSIGNED = r"\d+(?:\.\d+|,\d{1,2}(?!\d))?"  # 1,100 may be a thousand: not read


class _Form(NamedTuple):
    name: str
    pattern: re.Pattern[str]


def _form(name: str, label: str, value: str, gap: str, units: str) -> _Form:
    text = rf"{_START}{label}(?P<value>{value}){gap}(?P<unit>{units}){_END}"
    return _Form(name, re.compile(text, re.ASCII))


_ENERGY = r"(?i:beam[ _]?energy|energy)"
_LINK = r"[ _]?[=:]?[ _]?"
_NO_ATOMS = r"(?(label)|(?!(?:1[2-4]|\d)C))"  # 6C and 13C without a label: atoms, isotopes
_FORMS = (  # in this order; what one has read is gone for the next
    _form("exposure", rf"(?i:exp(?:osure)?){_LINK}", _UNSIGNED, " ?", "ms|sec|s"),
    _form("energy", rf"(?:(?:{_ENERGY}|E){_LINK})?", _UNSIGNED, "[ _]?", "(?i:k?ev)"),
    _Form("energy", re.compile(
        rf"{_START}(?:{_ENERGY}{_LINK}|E=|E(?=\d\d|\d[.,]\d))"
        rf"(?P<value>(?!0\d){_UNSIGNED})(?P<unit>)(?![A-Za-z0-9]|[.,]\d)"
    )),
    _form("coverage", "", _UNSIGNED, "[ _]?", "ML"),
    _form(
        "temperature", rf"(?P<label>(?:T|(?i:temp(?:erature)?)){_LINK})?{_NO_ATOMS}",
        rf"[-−]?{_UNSIGNED}", " ?", "K|C|[°º]C|degC",
    ),
    _form("time", rf"(?:(?:t|(?i:time)){_LINK})?", _UNSIGNED, " ?", "ms|sec|s|min|h"),
)  # fmt: skip

_RANGE_BEFORE = re.compile(r"(?:^|[ _(])(?:[1-9]\d*(?:[.,]\d+)?)(?:-|[ _]?to[ _-]?)$")
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d([-_. ]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)")
_SUPERSTRUCTURE = re.compile(
    r"(?<![\d.])[pc]?\(?(?:sqrt|rt|r)?\d{1,4} ?x ?(?:sqrt|rt|r)?\d{1,4}(?!\d)\)?(?:-?R\d+)?"
)
_INTEGER = re.compile(r"(?<!\d)(?<!\d[.,])\d+(?![A-Za-z\d]|[.,]\d)")

_SOLIDS = frozenset(
    re.findall(
        r"\w+",
        "Li Be Na Mg Al Si Ca Sc Ti Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Rb Sr Zr Nb Mo Ru Rh Pd Ag "
        "Cd In Sn Sb Te Cs Ba La Ce Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au "
        "Hg Tl Pb Bi Th",
    )
)
_IN_COMPOUNDS = _SOLIDS | {*"HBCNOFPSKVYIU", "Cl", "Br"}
_NOT_ALONE = frozenset(("As", "In", "Be", "W"))
_SYMBOL = r"[A-Z][a-z]?"
_FORMULA = re.compile(rf"(?:{_SYMBOL}\d{{0,2}})+")


def parse_name(stem: str) -> Record:
    """Metadata in one file name without its ending.

    Columns of ``index``, ``element``, ``surface``, and ``file_number`` for the
    counter, each only where the name says it without doubt.
    """
    record: Record = {}
    rest = _SUPERSTRUCTURE.sub(";", _DATE.sub(";", stem))
    for name in dict.fromkeys(form.name for form in _FORMS):
        values: dict[str, set[float | None]] = {}
        for form in (f for f in _FORMS if f.name == name):
            for match in form.pattern.finditer(rest):
                column, value = _read(form, match, rest[: match.start()])
                values.setdefault(column, set()).add(value)
            rest = form.pattern.sub(";", rest)
        for column, found in values.items():
            value = found.pop()
            if not found and value is not None:
                record[column] = value
    element, surface, rest = _material(rest)
    if element:
        record["element"] = element
    if surface:
        record["surface"] = surface
    integers = list(_INTEGER.finditer(rest))
    alone = [m for m in integers if not rest[: m.start()][-1:].isalpha()]
    if integers:
        record["file_number"] = float((alone or integers)[-1].group())
    return record


def parse_names(stems: Sequence[str]) -> list[Record]:
    """Metadata in the file names of one series.

    A series has one element and one surface; where the digits that look like a
    surface change from file to file, they are the counter.
    """
    records = [parse_name(stem) for stem in stems]
    for key in ("element", "surface"):
        if len({record[key] for record in records if key in record}) > 1:
            for record in records:
                value = str(record.pop(key, ""))
                if key == "surface" and value and "file_number" not in record:
                    record["file_number"] = float(value)
    return records


def _read(form: _Form, match: re.Match[str], before: str) -> tuple[str, float | None]:
    """Column and value of one match; None where it may mean something else."""
    unit, text = match["unit"], match["value"]
    quantity = unit_of(form.name, unit or None)
    assert quantity is not None, "every unit of the forms above is known"
    if _RANGE_BEFORE.search(before):
        return quantity.column, None
    if form.name == "temperature" and unit != "K" and before.endswith("-"):
        return quantity.column, None  # a hyphen, or a minus
    try:
        return quantity.column, quantity.convert(number(text))
    except ValueError:
        return quantity.column, None


def _material(text: str) -> tuple[str, str, str]:
    """Element or compound, surface, and the text without the two."""
    tokens = re.split(r"([\s_;-]+)", text)  # words at even places, separators between
    words = tokens[::2]
    for i, word in enumerate(words):
        for formula, surface in _splits(word):
            if surface:
                return formula, surface, _without(tokens, i)
    for i, word in enumerate(words):
        if not _is_formula(word):
            continue
        following = words[i + 1].strip("()") if i + 1 < len(words) else ""
        # Ag_111_0007 names a surface, Ag_111 a counter: only the first has both.
        has_counter = any(_INTEGER.search(later) for later in words[i + 2 :])
        if _is_surface(following) and has_counter:
            return word, following, _without(tokens, i, i + 1)
        if word not in _NOT_ALONE:
            return word, "", _without(tokens, i)
    return "", "", text


def _splits(word: str) -> Iterator[tuple[str, str]]:
    """Ways to read ``Ru0001``, ``TiO2110`` or ``Ag(111)`` as formula and surface."""
    bare = word.replace("(", "").replace(")", "")
    for digits in (4, 3):
        formula, surface = bare[:-digits], bare[-digits:]
        if _is_formula(formula) and _is_surface(surface):
            yield formula, surface


def _is_surface(text: str) -> bool:
    if not (text.isascii() and text.isdigit()) or not int(text):
        return False
    if len(text) == 4:  # hexagonal: h + k = -i, written without its sign
        return text == "0001" or 0 < int(text[0]) + int(text[1]) == int(text[2])
    return len(text) == 3


def _is_formula(text: str) -> bool:
    """A solid element, or a compound that cannot be an abbreviation in capitals."""
    if text in _SOLIDS:
        return True
    symbols = re.findall(_SYMBOL, text)
    return bool(
        len(symbols) > 1
        and _FORMULA.fullmatch(text)
        and all(symbol in _IN_COMPOUNDS for symbol in symbols)
        and any(c.islower() or c.isdigit() for c in text)
    )


def _without(tokens: list[str], *places: int) -> str:
    kept = list(tokens)
    for place in places:
        kept[2 * place] = ";"
    return "".join(kept)
