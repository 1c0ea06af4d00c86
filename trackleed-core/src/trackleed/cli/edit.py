"""``trackleed edit``: corrections by hand, each a step that can be undone and made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from trackleed.cli.options import json_option, run_argument
from trackleed.cli.retrack import retrack
from trackleed.cli.steps import do, open_session
from trackleed.cli.words import frame_range, place, say_next, track_ids
from trackleed.errors import InputError

tracks_argument = click.argument("tracks", nargs=-1, required=True, metavar="TRACK...")
track_argument = click.argument("track", type=int)
frame_option = click.option("--frame", type=int, required=True, help="The frame.")
at_option = click.option("--at", metavar="X,Y", required=True, help="The place, px.")
to_option = click.option("--to", metavar="X,Y", required=True, help="The new place, px.")
size_option = click.option(
    "--size", type=float, help="Side of its ROI, px (default: the median of the others)."
)


@click.group(short_help="Correct tracks and detections by hand; undo, list, replay.")
@run_argument
@click.pass_context
def edit(context: click.Context, run_path: Path) -> None:
    """Correct the newest tracks or detections of RUN by hand.

    Each edit adds a step; nothing is overwritten. Later steps take the edited table.

    \b
    Examples:
        trackleed edit scan.trackleed merge 3 7
        trackleed edit scan.trackleed split 5 --at 40
        trackleed edit scan.trackleed retrack 4,7 --from 120 --both
        trackleed edit scan.trackleed undo
    """
    context.obj = run_path


edit.add_command(retrack)


@edit.command(short_help="Tracks are one spot.")
@tracks_argument
@click.option("--keep", type=int, metavar="TRACK", help="Which counts where several are seen.")
@json_option
@click.pass_obj
def merge(run_path: Path, tracks: tuple[str, ...], keep: int | None, as_json: bool) -> None:
    """Make tracks one, with the number of the first."""
    change(run_path, "merge", as_json, tracks=track_ids(tracks), keep=keep)


@edit.command(short_help="A track is two spots.")
@track_argument
@click.option("--at", type=int, required=True, help="First frame of the second part.")
@click.option("--new", type=int, help="Number of the second part (default: the next free one).")
@json_option
@click.pass_obj
def split(run_path: Path, track: int, at: int, new: int | None, as_json: bool) -> None:
    """Give a track another number from a frame on."""
    change(run_path, "split", as_json, track=track, at=at, new=new)


@edit.command(short_help="Tracks, or some frames of them, are none.")
@tracks_argument
@click.option("--frames", metavar="FIRST-LAST", help="Only in these frames: lost there.")
@json_option
@click.pass_obj
def delete(run_path: Path, tracks: tuple[str, ...], frames: str | None, as_json: bool) -> None:
    """Delete tracks, or what they have in some frames."""
    span = None if frames is None else frame_range(frames)
    change(run_path, "delete", as_json, tracks=track_ids(tracks), frames=span)


@edit.command(short_help="A spot is elsewhere in one frame.")
@track_argument
@frame_option
@to_option
@json_option
@click.pass_obj
def move(run_path: Path, track: int, frame: int, to: str, as_json: bool) -> None:
    """Set the place of a track in one frame."""
    x, y = place("--to", to)
    change(run_path, "move", as_json, track=track, frame=frame, x=x, y=y)


@edit.command(short_help="A new track, with one spot.")
@frame_option
@at_option
@size_option
@click.option("--new", type=int, help="Its number (default: the next free one).")
@json_option
@click.pass_obj
def add(
    run_path: Path, frame: int, at: str, size: float | None, new: int | None, as_json: bool
) -> None:
    """Add a track with one spot; `retrack` takes it further."""
    x, y = place("--at", at)
    change(run_path, "add", as_json, frame=frame, x=x, y=y, size=size, new=new)


@edit.command(short_help="Two tracks went over to each other.")
@tracks_argument
@click.option("--at", type=int, required=True, help="First frame in which they are exchanged.")
@json_option
@click.pass_obj
def swap(run_path: Path, tracks: tuple[str, ...], at: int, as_json: bool) -> None:
    """Exchange two tracks from a frame on."""
    change(run_path, "swap", as_json, tracks=track_ids(tracks), at=at)


@edit.command(short_help="A track gets another number.")
@track_argument
@click.argument("to", type=int)
@json_option
@click.pass_obj
def renumber(run_path: Path, track: int, to: int, as_json: bool) -> None:
    """Give a track a number that is free."""
    change(run_path, "renumber", as_json, track=track, to=to)


@edit.command("add-detection", short_help="The detector overlooked a spot.")
@frame_option
@at_option
@size_option
@json_option
@click.pass_obj
def add_detection(run_path: Path, frame: int, at: str, size: float | None, as_json: bool) -> None:
    """Add a detection."""
    x, y = place("--at", at)
    change(run_path, "add-detection", as_json, frame=frame, x=x, y=y, size=size)


@edit.command("delete-detection", short_help="A detection is no spot.")
@frame_option
@at_option
@json_option
@click.pass_obj
def delete_detection(run_path: Path, frame: int, at: str, as_json: bool) -> None:
    """Delete the detection whose ROI holds a place."""
    x, y = place("--at", at)
    change(run_path, "delete-detection", as_json, frame=frame, x=x, y=y)


@edit.command("move-detection", short_help="A detection is beside its spot.")
@frame_option
@at_option
@to_option
@json_option
@click.pass_obj
def move_detection(run_path: Path, frame: int, at: str, to: str, as_json: bool) -> None:
    """Move the detection whose ROI holds a place."""
    (x, y), (to_x, to_y) = place("--at", at), place("--to", to)
    options = {"frame": frame, "x": x, "y": y, "to_x": to_x, "to_y": to_y}
    change(run_path, "move-detection", as_json, **options)


@edit.command(short_help="Take the newest edit back.")
@click.option("--to", metavar="STEP", help="Go to this track, detect or edit step instead.")
@json_option
@click.pass_obj
def undo(run_path: Path, to: str | None, as_json: bool) -> None:
    """Take the newest edit back, or go to any earlier tracks, also to undone ones."""
    from trackleed.pipeline import Run

    session = open_session(run_path)
    target = Run(session).undo(to)
    if as_json:
        click.echo(json.dumps([target.model_dump(mode="json")]))
        return
    click.echo(f"{target.id} holds the newest {target.spec} again")
    say_next(session, str(target.spec))


@edit.command(short_help="List the edits.")
@json_option
@click.pass_obj
def log(run_path: Path, as_json: bool) -> None:
    """List the edits; with --json those in effect, as `replay` reads them."""
    from trackleed.pipeline import Run
    from trackleed.pipeline.current import edits_in_effect

    session = open_session(run_path)
    if as_json:
        click.echo(json.dumps(Run(session).edits(), indent=1))
        return
    in_effect = {step.id for step in edits_in_effect(session)}
    lines = [_told(step, step.id in in_effect) for step in session.steps if step.kind == "edit"]
    click.echo("\n".join(filter(None, lines)) or "no edits")


@edit.command(short_help="Make the edits of a file again.")
@click.argument("file", type=click.Path(path_type=Path), metavar="EDITS.json")
@json_option
@click.pass_obj
def replay(run_path: Path, file: Path, as_json: bool) -> None:
    """Make the edits that `log --json` wrote, on the newest tracks and detections of RUN."""
    edits = _read(file)
    session = open_session(run_path)
    do(session, {"as_json": as_json}, lambda work: work.replay(edits))
    if not as_json:
        say_next(session, "tracks")


def change(run_path: Path, name: str, as_json: bool, **options: Any) -> None:
    """Make one edit and say what to do next."""
    session = open_session(run_path)
    do(session, {"as_json": as_json}, lambda work: work.edit(name, **options))
    if not as_json:
        say_next(session, str(session.steps[-1].spec))


def _told(step: Any, in_effect: bool) -> str:
    """A line about an edit; none about start positions given to a tracker."""
    if step.spec not in ("tracks", "detections"):
        return ""
    how = "" if in_effect else f"  ({'not in effect' if step.status == 'done' else step.status})"
    return f"{step.id:<8} {step.message.splitlines()[0] if step.message else step.backend}{how}"


def _read(file: Path) -> list[dict[str, Any]]:
    """The edits of a file."""
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"edits {file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"edits {file} are no JSON: {error}") from None
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise InputError(
            f'edits {file} are no list of edits, such as [{{"edit": "merge", "tracks": [3, 7]}}]',
            "write one: trackleed edit RUN log --json > edits.json",
        )
    return content
