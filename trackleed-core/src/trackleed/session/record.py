"""``session.json``: its model, its format number, and how it is read and written."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trackleed import __version__
from trackleed.errors import InputError, SessionDamaged, SessionError
from trackleed.files import process_alive, replace

FILE = "session.json"

FORMAT = 1
"""Version of the layout of ``session.json``."""

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""For each older format, what makes its document one of the next format."""

StepKind = Literal[
    "import",
    "detect",
    "edit",
    "undo",
    "track",
    "refine",
    "center",
    "radius",
    "intensity",
    "energy",
    "residual",
    "indexing",
    "lattice",
    "scale",
    "deviation",
    "quality",
    "framequality",
    "groupfit",
    "positions",
    "export",
]
KINDS: tuple[StepKind, ...] = get_args(StepKind)

Status = Literal["running", "done", "failed", "cancelled", "interrupted"]


class Step(BaseModel):
    """One thing that was done with a session."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z]+-[0-9]+$", description="kind and number, such as detect-1")
    kind: StepKind
    backend: str = Field("", description="name of the backend")
    version: str = Field("", description="version of the package that the backend is from")
    params: dict[str, Any] = Field({}, description="its options, as JSON keeps them")
    inputs: list[str] = Field([], description="ids of the steps that it rests on")
    table: str | None = Field(None, description="its table, relative to the session")
    spec: str | None = Field(None, description="name of the specification of that table")
    env: str | None = Field(None, description="environment that it ran in; None is the host")
    started: str = Field(description="date and time, ISO 8601, UTC")
    seconds: float = Field(0.0, description="how long it took")
    status: Status = "running"
    message: str = Field("", description="what it has to say, or why it ended as it did")
    rows: int = Field(0, description="rows of its table")
    pid: int = Field(description="process that did it")
    pid_start: int | None = Field(None, description="when that process was started, if known")
    host: str = Field(description="computer that it ran on")

    def seen_now(self) -> Step:
        """The step, ``interrupted`` if it is recorded as running and its process is gone."""
        if self.status != "running" or self.host != socket.gethostname():
            return self
        if process_alive(self.pid, self.pid_start):
            return self
        lost = "; its rows are lost" if self.spec else ""
        message = f"process {self.pid} ended before the step did{lost}"
        return self.model_copy(update={"status": "interrupted", "message": message})


class Document(BaseModel):
    """All of ``session.json``. Steps that cannot be read are kept in ``steps`` as they are."""

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    trackleed: str = Field(description="version that made the session")
    created: str
    steps: list[Any] = []

    @classmethod
    def new(cls) -> Document:
        """The document of a session that holds nothing yet."""
        return cls(trackleed=__version__, created=datetime.now(UTC).isoformat(timespec="seconds"))

    def read_steps(self) -> tuple[list[Step], list[str]]:
        """The steps that can be read, and what is wrong with the others."""
        steps: dict[str, Step] = {}
        problems = []
        for number, entry in enumerate(self.steps, 1):
            try:
                step = Step.model_validate(entry).seen_now()
            except ValidationError as error:
                name = entry.get("id") if isinstance(entry, dict) else None
                first = error.errors()[0]
                field = ".".join(map(str, first["loc"])) or "step"
                problems.append(f"{FILE}: step {name or number}: {field}: {first['msg']}")
                continue
            if step.id in steps:
                problems.append(f"{FILE}: there are two steps {step.id}; the first is shown")
            steps.setdefault(step.id, step)
        return list(steps.values()), problems

    def put(self, step: Step) -> None:
        """Add a step, or replace what is recorded of it."""
        entry = step.model_dump()
        for i, old in enumerate(self.steps):
            if isinstance(old, dict) and old.get("id") == step.id:
                self.steps[i] = entry
                return
        self.steps.append(entry)

    def write(self, folder: Path) -> None:
        """Write it to the session ``folder``, whole or not at all."""
        text = json.dumps(self.model_dump(), indent=1, ensure_ascii=False)
        # File names may hold bytes that are no text; escaped, they come back as they were.
        replace(folder / FILE, text.encode("utf-8", "backslashreplace"))


def read_document(folder: Path) -> Document:
    """``session.json`` of a session.

    Raises
    ------
    InputError
        If there is no such folder.
    SessionDamaged
        If it holds no ``session.json``, or one that cannot be read.
    SessionError
        If it was written by a newer trackleed.
    """
    file = folder / FILE
    if not folder.is_dir():
        raise InputError(f"no session at {folder}", "make one: trackleed run SRC OUT.trackleed")
    try:
        content = json.loads(file.read_bytes())
        if not (isinstance(content, dict) and isinstance(content.get("format"), int)):
            raise ValueError("it has no format number")
        return Document.model_validate(_migrated(content, folder))
    except FileNotFoundError:
        raise SessionDamaged(
            f"{folder} is no session, or a damaged one: it has no {FILE}"
        ) from None
    except OSError as error:
        raise SessionDamaged(f"cannot be read: {error.strerror}: {file}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SessionDamaged(f"{file} is damaged: {where}: {first['msg']}") from None
    except ValueError as error:
        raise SessionDamaged(f"{file} is damaged: {error}") from None


def _migrated(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    if content["format"] > FORMAT:
        raise SessionError(
            f"{folder} has format {content['format']}; "
            f"this trackleed, {__version__}, knows formats up to {FORMAT}",
            "upgrade: pip install -U trackleed-core",
        )
    while content["format"] < FORMAT:
        migrate = MIGRATIONS.get(content["format"])
        if migrate is None:
            raise SessionDamaged(f"{folder} has format {content['format']}, which never was")
        content = migrate(content)
    return content


def table_file(folder: Path, step_id: str) -> Path:
    """Where the table of a step of the session ``folder`` is, or will be."""
    return folder / "tables" / f"{step_id}.parquet"


def plain(params: Mapping[str, Any] | BaseModel | None) -> dict[str, Any]:
    """Options as JSON gives them back: lists for tuples, text for paths.

    Raises
    ------
    InputError
        If JSON cannot hold a value.
    """
    try:
        kept: dict[str, Any] = json.loads(json.dumps(params or {}, default=_jsonable))
    except (TypeError, ValueError) as error:
        raise InputError(f"these options cannot be recorded: {error}") from None
    return kept


def _jsonable(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy
        return value.tolist()
    raise TypeError(f"{type(value).__name__} {value!r}")
