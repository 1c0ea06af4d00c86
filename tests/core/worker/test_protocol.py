"""Nobody is believed without a signature, and nothing that is not understood does harm."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
import zmq

from trackleed.errors import WorkerError
from trackleed.worker.environments import Environment
from trackleed.worker.link import Link
from trackleed_kit.messages import HOST, WORKER, MessageError, Seal, WrongSignature, WrongVersion
from trackleed_kit.worker import start

KEY = bytes(range(32))

some_arrays = arrays.arrays(
    st.sampled_from(["<f8", "<f4", "<u2", "<i8", "?", ">i4"]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
some_text = st.lists(st.one_of(st.text(), st.none()), max_size=4).map(
    lambda words: np.array([*words, None], dtype=object)[:-1]
)


def two_ends() -> tuple[Seal, Seal]:
    return Seal(KEY, HOST, WORKER), Seal(KEY, WORKER, HOST)


@hypothesis.given(
    st.dictionaries(st.text(max_size=5), st.one_of(some_arrays, some_text), max_size=4)
)
@hypothesis.settings(max_examples=50)
def test_arrays_and_text_arrive_as_they_were(given: dict[str, Any]) -> None:
    host, worker = two_ends()
    parts = [bytes(part) for part in host.pack("rows", {"a": [1, None, "x"]}, given)]
    message = worker.unpack(parts)
    assert (message.kind, message.fields) == ("rows", {"a": [1, None, "x"]})
    assert message.arrays.keys() == given.keys()
    for name, values in given.items():
        assert message.arrays[name].dtype == values.dtype.newbyteorder("<")
        np.testing.assert_array_equal(message.arrays[name], values)


@hypothesis.given(st.integers(1, 3), st.data())
@hypothesis.settings(max_examples=60)
def test_any_change_is_noticed(which: int, data: st.DataObject) -> None:
    host, worker = two_ends()
    parts = [bytes(part) for part in host.pack("rows", {}, {"x": np.arange(3.0)})]
    part = bytearray(parts[which])
    part[data.draw(st.integers(0, len(part) - 1))] ^= data.draw(st.integers(1, 255))
    parts[which] = bytes(part)
    with pytest.raises(WrongSignature):
        worker.unpack(parts)


def test_nothing_can_be_replayed_reordered_sent_back_moved_or_of_another_key() -> None:
    host, worker = two_ends()
    first, second = ([*map(bytes, host.pack(kind, {}, {}))] for kind in ("cancel", "quit"))
    with pytest.raises(WrongSignature):
        worker.unpack(second)
    assert worker.unpack(first).kind == "cancel"
    with pytest.raises(WrongSignature):
        worker.unpack(first)
    with pytest.raises(WrongSignature):
        host.unpack(second)
    parts = [*map(bytes, host.pack("rows", {}, {"x": np.arange(2), "y": np.arange(3)}))]
    joined = [*parts[:3], parts[3] + parts[4]]
    with pytest.raises(WrongSignature):
        worker.unpack(joined)
    with pytest.raises(WrongSignature):
        Seal(b"other", HOST, WORKER).unpack(two_ends()[1].pack("hello", {}, {}))
    with pytest.raises(WrongVersion, match="9"):
        worker.unpack([b"9", *second[1:]])
    with pytest.raises(MessageError, match="no message"):
        worker.unpack([b"1"])


def test_only_numbers_and_text_can_be_sent() -> None:
    for values in (np.array([object()]), np.array([1j]), np.array([b"x"])):
        with pytest.raises(TypeError, match=r"'x' holds .*neither numbers nor text"):
            two_ends()[0].pack("rows", {}, {"x": values})


def test_a_signed_header_that_makes_no_sense_is_an_error_and_not_a_crash() -> None:
    for header in (b"[]", b"{", b'{"kind": 1}', b"\xff", _header("O"), _header("<f8", [9])):
        _, worker = two_ends()
        signature = Seal(KEY, HOST, WORKER)._sign(b"1", HOST, 0, [header, b"12345678"])
        with pytest.raises(MessageError, match="header cannot be used"):
            worker.unpack([b"1", signature, header, b"12345678"])


def _header(dtype: str, shape: Any = (1,)) -> bytes:
    header = {"kind": "rows", "fields": {}, "arrays": [["x", dtype, shape]]}
    return json.dumps(header).encode()


def test_only_the_user_can_read_the_connection_file_and_reach_the_socket(tmp_path: Path) -> None:
    link = Link(tmp_path, None, print)
    link.write_connection(tmp_path / "connection.json", {}, [])
    content = json.loads((tmp_path / "connection.json").read_text())
    link.close()
    assert stat.S_IMODE((tmp_path / "connection.json").stat().st_mode) == 0o600
    assert len(bytes.fromhex(content["key"])) == 32
    assert content["address"].startswith(("ipc://", "tcp://127.0.0.1:"))


@pytest.fixture
def faking(tmp_path: Path, hosted: Callable[..., Any]) -> Callable[[str], Any]:
    """A tracker in a worker that breaks the protocol in some way."""
    python = tmp_path / "python"
    fake = Path(__file__).with_name("fake.py").read_text()
    python.write_text(f"#!{sys.executable}\n{fake}")
    python.chmod(0o700)

    def make(how: str) -> Any:
        env = Environment(name="here", source=tmp_path, python=python, variables={"FAKE": how})
        return hosted(env=env)

    return make


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("wrong_key", "said something that cannot be believed .*: WrongSignature: message 0"),
        ("wrong_version", "could not be understood .*: it speaks version 2 of the protocol"),
        ("garbage", "said something that cannot be believed .*: MessageError: 2 parts"),
        ("garbage_in_form", "said something that cannot be believed .*: WrongSignature"),
        ("replay", "said something that cannot be believed .*: WrongSignature: message 1"),
    ],
)
def test_a_worker_that_cannot_be_believed_is_ended(
    faking: Callable[[str], Any], frames: Any, seeds: Any, how: str, what: str
) -> None:
    remote = faking(how)
    with pytest.raises(WorkerError, match=f"^tracker 'faulty@here' {what}"):
        list(remote.track(frames, seeds, None))


@pytest.mark.parametrize(
    ("how", "logged"),
    [
        ("talkative", "message 'chatter' ignored: it is not known"),
        ("talkative", "of message 'rows' ignored: gossip"),
        ("strangers", "a message of a stranger ignored"),
    ],
)
def test_what_is_not_known_and_who_is_not_known_is_ignored_and_logged(
    faking: Callable[[str], Any], frames: Any, seeds: Any, how: str, logged: str
) -> None:
    remote = faking(how)
    assert len(list(remote.track(frames, seeds, None))) == 8
    assert logged in remote.log.read_text()


def test_a_worker_ends_when_its_host_cannot_be_believed(tmp_path: Path) -> None:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as host:
        host.linger = 0
        host.bind(f"ipc://{tmp_path}/work")
        file = tmp_path / "connection.json"
        content = {
            "address": f"ipc://{tmp_path}/work",
            "heartbeat": f"ipc://{tmp_path}/heart",
            "identity": "me",
            "key": KEY.hex(),
            "packages": {},
            "paths": [],
        }
        file.write_text(json.dumps(content))
        watched, held = os.pipe()
        process = subprocess.Popen(
            [sys.executable, start.__file__, file, str(watched)],
            pass_fds=(watched,),
            stderr=subprocess.PIPE,
            text=True,
        )
        sender, *hello = host.recv_multipart()
        assert Seal(KEY, HOST, WORKER).unpack(hello).kind == "hello"
        host.send_multipart([sender, *Seal(b"guessed", HOST, WORKER).pack("quit", {}, {})])
        _, said = process.communicate(timeout=20)
        os.close(watched)
        os.close(held)
    assert process.returncode == 1
    assert "WrongSignature" in said
