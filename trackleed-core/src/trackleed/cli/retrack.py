"""``trackleed edit RUN retrack``: some spots followed anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trackleed.cli.options import (
    backend_name,
    backend_option,
    gather,
    json_option,
    recipe_option,
    set_option,
)
from trackleed.cli.steps import do, open_session
from trackleed.cli.words import say_next, track_ids

TRACKER = "lk-skip"


@click.command(short_help="Some spots are followed anew from a frame.")
@click.argument("tracks", nargs=-1, required=True, metavar="TRACK...")
@click.option("--from", "frame", type=int, required=True, help="Frame whose places are kept.")
@click.option("--forwards", "direction", flag_value="forwards", help="To the last frame (default).")
@click.option("--backwards", "direction", flag_value="backwards", help="To the first frame.")
@click.option("--both", "direction", flag_value="both", help="To the first and the last frame.")
@backend_option("tracker", TRACKER)
@set_option
@recipe_option
@json_option
@click.pass_obj
def retrack(run_path: Path, /, tracks: tuple[str, ...], frame: int, **flags: Any) -> None:
    """Follow tracks anew from a frame, with any tracker; all others stay as they are.

    \b
    trackleed edit scan.trackleed move 4 --frame 120 --to 103.2,88.1
    trackleed edit scan.trackleed retrack 4 --from 120
    """
    options = gather(flags["recipe"], flags["settings"])["tracker"]
    name = backend_name(options, flags["tracker"], TRACKER)
    asked = {
        "tracks": track_ids(tracks),
        "frame": frame,
        "direction": flags["direction"] or "forwards",
        "tracker": name,
        "options": options,
    }
    session = open_session(run_path)
    do(session, flags, lambda work: work.edit("retrack", **asked))
    if not flags["as_json"]:
        say_next(session, "tracks")
