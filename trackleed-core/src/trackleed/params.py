"""The options of a backend: one pydantic model makes command line, form and record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trackleed.errors import ParamsError

P = TypeVar("P", bound="Params")


class Params(BaseModel):
    """Base of every backend's options.

    Declare each option with `option`, so that it has a default, a meaning, a
    unit and a range. Unknown options are refused; a made instance does not change.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def option(default: Any, help: str, *, unit: str = "", **limits: Any) -> Any:
    """Declare one option.

    Parameters
    ----------
    default : object
        Value when the user says nothing.
    help : str
        What it does, in one sentence.
    unit : str
        Unit of the value, empty for a pure number.
    **limits
        ``ge``, ``gt``, ``le``, ``lt``, as pydantic's ``Field`` takes them.
    """
    return Field(default, description=help, json_schema_extra={"unit": unit}, **limits)


def make(model: type[P], values: Mapping[str, Any], owner: str, hint: str | None = None) -> P:
    """Options of ``owner`` from what a user gave.

    Parameters
    ----------
    model : type of Params
    values : mapping
        What was given.
    owner : str
        Whose options they are, for messages.
    hint : str, optional
        Where to read about them, unless ``owner`` is a backend.

    Raises
    ------
    ParamsError
        With the first option that is wrong, its value and what is allowed.
    """
    try:
        return model(**values)
    except ValidationError as error:
        hint = hint or f"see: trackleed backends show {owner}"
        raise ParamsError(_explain(error, model, owner), hint) from None


def _explain(error: ValidationError, model: type[Params], owner: str) -> str:
    first = error.errors()[0]
    # Of several types allowed for one option, each says why it does not fit.
    alike = [e for e in error.errors() if e["loc"][:1] == first["loc"][:1]]
    # After the name come places in a list, and types tried, which mean nothing to a user.
    parts = [str(p) for n, p in enumerate(first["loc"]) if n == 0 or isinstance(p, int)]
    name = ".".join(parts)
    if first["type"] == "extra_forbidden":
        known = ", ".join(model.model_fields) or "none"
        return f"{owner} has no option {name!r}; it has: {known}"
    text = " or ".join(e["msg"][:1].lower() + e["msg"][1:] for e in alike)
    text = text.removeprefix("value error, ")
    if not parts:  # options that do not go together
        return f"{owner}: {text}"
    return f"{owner}: option {name} = {first['input']!r} is not allowed: {text}"


def parse_settings(settings: Iterable[str]) -> dict[str, dict[str, str]]:
    """``["tracker.max_gap=3"]`` as ``{"tracker": {"max_gap": "3"}}``.

    Raises
    ------
    ParamsError
        If a setting is not of the form ``kind.option=value``.
    """
    parsed: dict[str, dict[str, str]] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        kind, dot, name = key.strip().partition(".")
        if not (equals and dot and kind and name):
            raise ParamsError(
                f"--set {setting!r} is not of the form KIND.OPTION=VALUE",
                "for example: --set tracker.max_gap=3",
            )
        parsed.setdefault(kind, {})[name] = value.strip()
    return parsed


def describe(model: type[Params]) -> list[dict[str, Any]]:
    """Name, type, default, unit, range and meaning of each option, for help and forms."""
    properties = model.model_json_schema().get("properties", {})
    return [
        {
            "name": name,
            "type": _type_name(entry),
            "default": field.get_default(call_default_factory=True),
            "unit": entry.get("unit", ""),
            "range": _range(entry),
            "help": entry.get("description", ""),
        }
        for (name, field), entry in zip(
            model.model_fields.items(), properties.values(), strict=True
        )
    ]


def _type_name(entry: Mapping[str, Any]) -> str:
    if "enum" in entry:
        return " | ".join(map(str, entry["enum"]))
    if "const" in entry:
        return str(entry["const"])
    if "anyOf" in entry:
        return " | ".join(_type_name(part) for part in entry["anyOf"])
    return str(entry.get("type", "any"))


def _range(entry: Mapping[str, Any]) -> str:
    signs = {
        "minimum": ">=",
        "exclusiveMinimum": ">",
        "maximum": "<=",
        "exclusiveMaximum": "<",
    }
    parts = [entry, *entry.get("anyOf", [])]
    return ", ".join(f"{s} {part[k]}" for part in parts for k, s in signs.items() if k in part)
