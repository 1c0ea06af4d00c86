"""Import contract ``rooms``: each room imports only what its line allows.

import-linter has contracts for what is forbidden; this one is for what is allowed, so
that a new module must be given its place before it can import anything. The lines are
in pyproject.toml.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

Lines = Mapping[str, Sequence[str]]


class LinesField(fields.Field[Lines]):
    """A TOML table of lists of module names."""

    def parse(self, raw_data: Lines) -> Lines:  # type: ignore[override]
        if not isinstance(raw_data, Mapping):
            raise fields.ValidationError("Expected a table of lists.")
        return raw_data


class Rooms(Contract):
    """Each room imports only itself, what its line names, and what those may import.

    Options
    -------
    rooms : table
        Room (a module or package) to the rooms that it may import. A room that has
        rooms inside, such as ``trackleed``, stands for its own ``__init__`` alone.
    outside : table, optional
        Room to the only packages it may import besides ours and the standard library.
    """

    type_name = "rooms"
    rooms = LinesField()
    outside = LinesField(required=False, default={})

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        faults = list(self._faults(graph))
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for fault in check.metadata["faults"]:
            output.print_error(f"- {fault}", bold=False)
            output.new_line()

    def _faults(self, graph: ImportGraph) -> Iterator[str]:
        ours = {module for module in graph.modules if not graph.is_module_squashed(module)}
        for importer in sorted(ours):
            room = self._room(importer)
            if room is None:
                yield f"{importer} is in no room: give it a line in pyproject.toml"
                continue
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                if imported in ours:
                    allowed = self._allows(room, importer, imported)
                else:
                    allowed = self._allows_outside(room, imported)
                if not allowed:
                    details = graph.get_import_details(importer=importer, imported=imported)
                    lines = ", ".join(str(detail["line_number"]) for detail in details)
                    yield f"{importer} -> {imported} (l.{lines}), which {room} may not import"

    def _room(self, module: str) -> str | None:
        """The room that a module is in."""
        for room in sorted(self.rooms, key=len, reverse=True):
            has_rooms = any(other.startswith(f"{room}.") for other in self.rooms)
            if module == room or (not has_rooms and module.startswith(f"{room}.")):
                return room
        return None

    def _allows(self, room: str, importer: str, imported: str) -> bool:
        # Python imports the packages that a module is in whether it asks for them or not.
        if importer.startswith(f"{imported}."):
            return True
        reached, waiting = {room}, [room]
        while waiting:
            for further in self.rooms[waiting.pop()]:
                if further not in reached:
                    reached.add(further)
                    waiting.append(further)
        return self._room(imported) in reached

    def _allows_outside(self, room: str, imported: str) -> bool:
        package = imported.partition(".")[0]
        allowed = self.outside.get(room, [package])
        return package in allowed or package in sys.stdlib_module_names
