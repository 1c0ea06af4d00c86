"""Entries of ``envs.toml``: written, changed and taken out, with the rest of the file as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomlkit

from trackleed.errors import EnvironmentUnusable
from trackleed.files import locked, replace
from trackleed.worker.environments.model import NAME, Environment, parse, read_file


def check_entry(name: str, fields: Mapping[str, Any], file: Path) -> None:
    """Refuse, before anything is made, what could not be listed in ``file`` afterwards.

    Raises
    ------
    EnvironmentUnusable
        If the name is not allowed, or ``file`` has it already.
    EnvironmentsDamaged
        If a field is not allowed.
    """
    if not NAME.fullmatch(name):
        raise EnvironmentUnusable(
            f"an environment cannot be called {name!r}; allowed: lower-case letters, digits, _ . -"
        )
    if name in read_file(file):
        raise EnvironmentUnusable(
            f"{file} has an environment {name!r} already",
            f"choose another name, or: trackleed envs remove {name}",
        )
    document = tomlkit.document()
    document[name] = _table({"python": "python", **fields})
    parse(tomlkit.dumps(document), file)


def add_entry(file: Path, name: str, fields: Mapping[str, Any]) -> Environment:
    """List an environment; empty fields are left out."""

    def add(document: tomlkit.TOMLDocument) -> None:
        document[name] = _table(fields)

    check_entry(name, fields, file)
    _edit(file, add)
    return read_file(file)[name]


def change_entry(environment: Environment, **fields: Any) -> Environment:
    """Set fields of an entry."""

    def change(document: tomlkit.TOMLDocument) -> None:
        document[environment.name].update(_table(fields))

    _edit(environment.source, change)
    return read_file(environment.source)[environment.name]


def remove_entry(environment: Environment) -> None:
    """Take an environment out of the file that lists it."""

    def remove(document: tomlkit.TOMLDocument) -> None:
        del document[environment.name]

    _edit(environment.source, remove)


def _table(fields: Mapping[str, Any]) -> tomlkit.items.Table:
    table = tomlkit.table()
    for key, value in fields.items():
        if value is None or value in ((), [], {}):
            continue
        if isinstance(value, Mapping):
            inline = tomlkit.inline_table()
            inline.update({name: str(part) for name, part in value.items()})
            table[key] = inline
        elif isinstance(value, (list, tuple)):
            table[key] = [str(part) for part in value]
        else:
            table[key] = str(value)
    return table


def _edit(file: Path, edit: Callable[[tomlkit.TOMLDocument], None]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with locked(file.with_name(f".{file.name}.lock"), str(file)):
            read_file(file)  # a file that is damaged is not written to
            text = file.read_text(encoding="utf-8") if file.exists() else ""
            document = tomlkit.parse(text)
            edit(document)
            text = tomlkit.dumps(document)
            parse(text, file)
            replace(file, text.encode())
    except OSError as error:
        raise EnvironmentUnusable(f"{file} cannot be written: {error.strerror}") from error
