"""What an adapter asks about the place where it runs."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from trackleed import tables
from trackleed_kit import place, states
from trackleed_kit.errors import NotReady


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (place.DEVICE, place.CHECKPOINTS, place.CHECKOUT + "CO_TRACKER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    place.take_notes()


@pytest.mark.parametrize(
    ("asked", "said", "has_cuda", "device"),
    [
        ("cpu", "cuda:1", True, "cpu"),
        ("auto", "cuda:1", True, "cuda:1"),
        ("auto", "auto", True, "cuda"),
        ("", "", False, "cpu"),
        ("auto", "", None, "cpu"),
    ],
)
def test_the_device_is_the_users_then_the_environments_then_the_best(
    monkeypatch: pytest.MonkeyPatch, asked: str, said: str, has_cuda: bool | None, device: str
) -> None:
    monkeypatch.setenv(place.DEVICE, said)
    cuda = SimpleNamespace(is_available=lambda: has_cuda)
    torch = None if has_cuda is None else SimpleNamespace(cuda=cuda)
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert place.device(asked) == device


def test_a_checkpoint_is_found_in_the_folder_or_where_the_user_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.pth", "b.pth"):
        (tmp_path / name).write_bytes(name.encode())
    assert place.checkpoint("a.pth", str(tmp_path / "b.pth")) == tmp_path / "b.pth"
    with pytest.raises(NotReady, match=r"no folder of checkpoints is known, so a\.pth"):
        place.checkpoint("a.pth")
    monkeypatch.setenv(place.CHECKPOINTS, str(tmp_path))
    assert place.checkpoint("a.pth") == tmp_path / "a.pth"
    assert place.checkpoint("a.pth", "b.pth") == tmp_path / "b.pth"
    with pytest.raises(NotReady, match=r"checkpoint .*c\.pth is not there"):
        place.checkpoint("c.pth")
    sums = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("a.pth", "b.pth")}
    noted = [f"checkpoint {name} sha256 {sums[name]}" for name in ("b.pth", "a.pth")]
    assert place.take_notes() == noted
    assert place.take_notes() == []


def test_a_checkout_can_be_imported_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(NotReady, match="no checkout of co-tracker is known"):
        place.checkout("co-tracker")
    known = place.variables("cpu", None, {"co-tracker": tmp_path / "src"})
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotReady, match="checkout of co-tracker is not there"):
        place.checkout("co-tracker")
    (tmp_path / "src").mkdir()
    assert place.checkout("co-tracker") == place.checkout("co-tracker") == tmp_path / "src"
    assert sys.path.count(str(tmp_path / "src")) == 1
    assert place.checkout("co-tracker", "torch") == tmp_path / "src"
    assert sys.path[0] == str(tmp_path / "src" / "torch")


def test_the_words_for_states_are_those_of_the_table() -> None:
    words = {name: word for name, word in vars(states).items() if name.isupper()}
    assert words == {state.name: state.value for state in tables.State}
