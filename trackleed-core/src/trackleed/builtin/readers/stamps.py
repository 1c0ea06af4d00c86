"""Dates and times of day, as cameras and laboratory programs write them."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

# Beginnings of the months in English, Italian, German, French and Spanish.
_MONTHS = (
    "jan gen ene", "feb fev", "mar", "apr avr abr", "may mag mai", "jun giu juin", "jul lug juil",
    "aug ago aou", "sep set", "oct ott okt", "nov", "dec dic dez",
)  # fmt: skip
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>[.,]\d{1,6})?)?"
_FORMS = tuple(
    re.compile(date + r"[\sT,-]+(?:at\s+)?" + _TIME)
    for date in (
        r"(?P<year>\d{4})[-:/.](?P<month>\d{1,2})[-:/.](?P<day>\d{1,2})",
        r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
        r"(?P<day>\d{1,2})\.?\s+(?:de\s+)?(?P<month>[^\W\d_]{3,})\.?\s+(?:de\s+)?(?P<year>\d{4})",
        r"(?P<month>[^\W\d_]{3,})\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})",
    )
)


def stamp(text: str) -> datetime | None:
    """The date and time in ``text``, or None.

    ISO (``2025-04-14 18:10:56``), EXIF (``2025:04:14 18:10:56``), dotted
    (``14.4.2025 18:10``) and with the month's name (``lunedì 14 aprile 2025 -
    18:10:56``). ``03/04/2025`` is not read: it is March or April.
    """
    for form in _FORMS:
        found = form.search(text)
        month = _month(found["month"]) if found else None
        if found and month:
            fraction = (found["fraction"] or ".0")[1:].ljust(6, "0")
            year, day, hour, minute, second = (
                int(found[part] or 0) for part in ("year", "day", "hour", "minute", "second")
            )
            try:
                return datetime(year, month, day, hour, minute, second, int(fraction))
            except ValueError:
                return None
    return None


def _month(name: str) -> int | None:
    if name.isdigit():
        return int(name)
    letters = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in letters if not unicodedata.combining(c))
    for number, beginnings in enumerate(_MONTHS, start=1):
        if plain.startswith(tuple(beginnings.split())):
            return number
    return None
