"""Edits by hand as steps: made, undone, listed and done again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from trackleed import __version__, tables
from trackleed.edits import Edit, Extent, Retrack, TableEdit, parse
from trackleed.errors import InputError
from trackleed.pipeline.current import TABLE_OF, chosen, current, edits_in_effect, unedited
from trackleed.pipeline.tracking import follow, joined
from trackleed.worker.backends import find_backend

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.progress import Progress
    from trackleed.registry import Backend, Registry
    from trackleed.session import Session, Step, StepWriter

KIND_OF = {table: kind for kind, table in TABLE_OF.items()}
EDITED = ("detections", "tracks")
"""Tables that can be edited."""


class Editing:
    """Verbs of a `Run` by which a person corrects what detector and tracker found.

    Each edit is a step that holds the whole table after it; nothing is ever overwritten.
    """

    session: Session
    registry: Registry
    progress: Progress

    def edit(self, name: str, **options: Any) -> Step:
        """Change the current tracks or detections, which later steps then take by default.

        Parameters
        ----------
        name : str
            What to do: a name in `trackleed.edits.EDITS`, such as ``"merge"``.
        **options
            Its options, such as ``tracks=[3, 7]``.

        Returns
        -------
        Step
            With the whole ``tracks`` or ``detections`` table after the edit.

        Raises
        ------
        InputError
            If there is no such edit, or it cannot be done; no step is added then.
        """
        asked = parse(name, options)
        before = chosen(self.session, KIND_OF[asked.spec.name], None)
        table = self.session.table(before)
        if isinstance(asked, Retrack):
            return self._retrack(asked, before, table)
        assert isinstance(asked, TableEdit)
        store = self.session.store
        after = asked.apply(table, Extent(store.n_valid, store.shape))
        with self.session.step(
            "edit",
            backend=name,
            version=__version__,
            params=asked,
            inputs=[before.id],
            spec=asked.spec,
        ) as writer:
            writer.write(after)
            writer.note(*_said(asked, table, after))
        return writer.step

    def undo(self, to: Step | str | None = None) -> Step:
        """Go back to what was there before the newest edit.

        Parameters
        ----------
        to : Step or str, optional
            Tracks or detections to go to instead, a ``track``, ``detect`` or ``edit`` step. It may
            be one that was undone.

        Returns
        -------
        Step
            The step that later ones take by default from now on.

        Raises
        ------
        InputError
            If there is no edit to undo, or ``to`` is neither tracks nor detections.
        """
        if to is None:
            done = edits_in_effect(self.session)
            if not done:
                raise InputError(f"{self.session.path.name} has no edit to undo")
            target = self.session.get(done[-1].inputs[0])
        else:
            target = self.session.get(to if isinstance(to, str) else to.id)
            if target.spec not in EDITED or target.status != "done":
                usable = [s.id for s in self.session.steps if s.spec in EDITED]
                raise InputError(
                    f"{target.id} ({target.status}) is neither tracks nor detections to go to; "
                    f"there are: {', '.join(usable) or 'none'}"
                )
        if current(self.session, str(target.spec)) != target:
            self._go_back(target)
        return target

    def edits(self) -> list[dict[str, Any]]:
        """The edits in effect, the oldest first, as `replay` takes them."""
        return [{"edit": step.backend, **step.params} for step in edits_in_effect(self.session)]

    def replay(self, edits: Iterable[Mapping[str, Any]]) -> list[Step]:
        """Make edits again, on the current tracks and detections.

        Parameters
        ----------
        edits : iterable of mapping
            For each its name as ``"edit"``, and its options.

        Returns
        -------
        list of Step
            One for each edit.

        Raises
        ------
        InputError
            If one of them is no edit (none is made then) or cannot be made; those before
            it are kept then.
        """
        given = [dict(one) for one in edits]
        names = [str(one.pop("edit", "")) for one in given]
        for n, (name, options) in enumerate(zip(names, given, strict=True), start=1):
            _named(n, len(given), lambda name=name, options=options: parse(name, options))
        made: list[Step] = []
        for n, (name, options) in enumerate(zip(names, given, strict=True), start=1):
            made.append(
                _named(n, len(given), lambda name=name, options=options: self.edit(name, **options))
            )
        return made

    def edited(self, step: Step) -> Step:
        """The current tracks or detections if they are edits of a step, else the step itself."""
        newest = current(self.session, str(step.spec))
        return newest if newest and unedited(self.session, str(step.spec)) == step else step

    def asked_for(self, step: Step) -> Step:
        """A step that a verb made or found done; what was asked for last counts, with its edits."""
        tracks = current(self.session, "tracks")
        others = step.kind == "refine" and tracks is not None and tracks.id not in step.inputs
        if not others and unedited(self.session, str(step.spec)) != step:
            self._go_back(step)
        return step

    def _go_back(self, step: Step) -> None:
        with self.session.step("undo", version=__version__, inputs=[step.id]):
            pass

    def _retrack(self, asked: Retrack, before: Step, table: pd.DataFrame) -> Step:
        found = find_backend(self.registry, "tracker", asked.tracker)
        options = found.params(**asked.options).model_dump(mode="json")
        asked = asked.model_copy(update={"tracker": found.address, "options": options})
        seeds = asked.seeds(table)
        inputs = [before, chosen(self.session, "import", None)]
        if "detections" in found.spec.needs:
            inputs.append(chosen(self.session, "detect", None))
        with self.session.step(
            "edit",
            backend=asked.name,
            version=found.version,
            params=asked,
            inputs=[step.id for step in inputs],
            spec=asked.spec,
            env=found.env,
        ) as writer:
            after = asked.splice(table, self._followed(asked, found, inputs[1:], seeds, writer))
            writer.write(after)
            writer.note(*_said(asked, table, after), asked.outcome(after))
        return writer.step

    def _followed(
        self,
        asked: Retrack,
        backend: Backend,
        inputs: list[Step],
        seeds: pd.DataFrame,
        writer: StepWriter,
    ) -> pd.DataFrame:
        """Rows of the tracks that start from the seeds, in all frames."""
        given = {step.spec: tables.columns(self.session.table(step)) for step in inputs}
        takes_seeds = "seeds" in (*backend.spec.needs, *backend.spec.takes)
        if takes_seeds:
            given["seeds"] = tables.columns(seeds)
        parts = list(follow(self.session, backend, asked.options, given, self.progress, writer))
        if not parts:
            raise InputError(f"tracker {asked.tracker!r} found no track at all")
        rows = tables.build(tables.TRACKS, joined(parts))
        return rows if takes_seeds else asked.claim(seeds, rows)


def _said(edit: Edit, before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """What an edit did, and which tracks are new by it."""
    said = [edit.words()]
    if edit.spec is tables.TRACKS:
        new = sorted(set(after["track_id"].tolist()) - set(before["track_id"].tolist()))
        said += [f"new: track {track}" for track in new]
    return said


def _named(number: int, total: int, work: Any) -> Any:
    """Do something for one of several edits; what it raises tells which."""
    try:
        return work()
    except InputError as error:
        raise InputError(f"edit {number} of {total}: {error.message}", error.hint) from None
