"""Weights of upstream models, loaded strictly and without running what is in the file."""

from __future__ import annotations

import pickle
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any, ContextManager, Dict, Mapping, Sequence

from trackleed_kit.errors import NotReady


def read(path: Path, inside: Sequence[str] = (), prefix: str = "") -> Dict[str, Any]:
    """The tensors of a checkpoint by name, on the processor.

    Parameters
    ----------
    path : Path
    inside : sequence of str
        Keys under which upstream may have put them, such as ``"model"`` or ``"state_dict"``.
    prefix : str
        What is taken off the beginning of each name.

    Raises
    ------
    NotReady
        If it cannot be read, or not without running what is in it.

    Notes
    -----
    Training programs often save objects of their own beside the tensors. Of each there comes an
    empty one of no class of theirs; nothing of theirs is imported or called. This needs
    torch 2.6; before, such a file is not opened.
    """
    torch = import_module("torch")
    try:
        with _emptied(torch, path):
            held = torch.load(str(path), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise NotReady(
            "checkpoint %s holds more than tensors and is not opened" % path,
            "if you trust it, load it in its own program and save its tensors alone",
        ) from None
    except Exception as error:
        raise NotReady(
            "checkpoint %s cannot be read: %s: %s" % (path, type(error).__name__, error),
            "is it whole? see: trackleed envs check",
        ) from None
    for key in inside:
        if isinstance(held, Mapping) and isinstance(held.get(key), Mapping):
            held = held[key]
            break
    if not isinstance(held, Mapping):
        raise NotReady("checkpoint %s holds a %s, no tensors" % (path, type(held).__name__))
    return {name[len(prefix) :] if name.startswith(prefix) else name: v for name, v in held.items()}


def load(model: Any, path: Path, inside: Sequence[str] = (), prefix: str = "") -> Any:
    """A model with the weights of a checkpoint, each of which has its place, ready to run.

    Raises
    ------
    NotReady
        If weights are missing, too many, or of another size.
    """
    try:
        model.load_state_dict(read(path, inside, prefix), strict=True)
    except RuntimeError as error:
        faults = [line.strip() for line in str(error).splitlines()[1:]] or [str(error)]
        raise NotReady(
            "checkpoint %s does not fit the model: %s" % (path, faults[0][:300]),
            "it is another model's, or of another size",
        ) from None
    return model.eval()


class _Empty:
    """Takes whatever a saved object would be made with, and keeps nothing."""

    def __init__(self, *given: Any, **named: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def _emptied(torch: Any, path: Path) -> ContextManager[Any]:
    """While a checkpoint is opened: empty classes in place of those that are not torch's."""
    look = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    if look is None:
        return nullcontext()
    try:
        others = look(str(path))
    except Exception:  # no file of today's form: torch.load will tell
        return nullcontext()
    classes = [(type("_Empty", (_Empty,), {}), name) for name in others]
    empty: ContextManager[Any] = torch.serialization.safe_globals(classes)
    return empty
