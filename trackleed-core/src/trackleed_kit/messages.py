"""What host and worker say to each other: signed, counted, and without pickle.

A message is ``[version, signature, header, buffer, ...]``. The header is JSON; the
buffers are the raw bytes of its arrays. The signature is HMAC-SHA256 (RFC 2104) over the
version, who sends, how many messages that side has sent before, and every part with its length, so
that nothing can be changed, cut, replayed or sent back.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

VERSION = b"1"

HOST, WORKER = b"host", b"worker"


class MessageError(Exception):
    """A message that cannot be believed, or not be understood."""


class WrongVersion(MessageError):
    """The other side speaks another version of the protocol."""


class WrongSignature(MessageError):
    """The message is not signed with the key of this connection, or is not the next one."""


class Message(NamedTuple):
    """One message: its kind, the fields of its header, and its arrays."""

    kind: str
    fields: Dict[str, Any]
    arrays: Dict[str, Any]

    def group(self, name: str) -> Dict[str, Any]:
        """The arrays called ``name/...``, by the rest of their names; own copies."""
        start = name + "/"
        return {k[len(start) :]: v.copy() for k, v in self.arrays.items() if k.startswith(start)}


class Seal:
    """Packs what one side sends, and checks and unpacks what it receives.

    Parameters
    ----------
    key : bytes
        Secret of this connection.
    sends, receives : bytes
        `HOST` and `WORKER`, or the other way round.
    """

    def __init__(self, key: bytes, sends: bytes, receives: bytes) -> None:
        self.key = key
        self.sends, self.receives = sends, receives
        self.n_sent = self.n_received = 0

    def pack(self, kind: str, fields: Mapping[str, Any], arrays: Mapping[str, Array]) -> List[Any]:
        """The parts of the next message."""
        shapes: List[Any] = []
        buffers: List[Any] = []
        for name, values in arrays.items():
            array = np.asarray(values)
            if array.dtype.kind in "OU":  # text goes with the header
                shapes.append([name, None, [_text(name, value) for value in array.tolist()]])
            elif array.dtype.kind in "biuf":
                array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
                shapes.append([name, array.dtype.str, array.shape])
                buffers.append(array.reshape(-1).view(np.uint8).data)
            else:
                raise TypeError("%r holds %s, neither numbers nor text" % (name, array.dtype))
        header = json.dumps({"kind": kind, "fields": dict(fields), "arrays": shapes}).encode()
        signature = self._sign(VERSION, self.sends, self.n_sent, [header, *buffers])
        self.n_sent += 1
        return [VERSION, signature, header, *buffers]

    def unpack(self, parts: Sequence[Any]) -> Message:
        """The message of these parts.

        Raises
        ------
        WrongVersion
            If it is of another version of the protocol.
        WrongSignature
            If it is not signed as the next one of the other side.
        MessageError
            If it is no message.
        """
        if len(parts) < 3:
            raise MessageError("%d parts are no message" % len(parts))
        version, signature = bytes(parts[0]), bytes(parts[1])
        if version != VERSION:
            raise WrongVersion(version[:20].decode("ascii", "replace"))
        expected = self._sign(version, self.receives, self.n_received, parts[2:])
        if not hmac.compare_digest(signature, expected):
            raise WrongSignature("message %d" % self.n_received)
        self.n_received += 1
        try:
            header = json.loads(bytes(parts[2]).decode())
            arrays = _arrays(header["arrays"], list(parts[3:]))
            return Message(str(header["kind"]), dict(header["fields"]), arrays)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise MessageError("header cannot be used: %r" % (error,)) from error

    def _sign(self, version: bytes, side: bytes, number: int, parts: Sequence[Any]) -> bytes:
        digest = hmac.new(self.key, digestmod=hashlib.sha256)
        digest.update(struct.pack(">s4xQI", version, number, len(parts)) + side)
        for part in parts:
            view = memoryview(part)
            digest.update(struct.pack(">Q", view.nbytes))
            digest.update(view)
        return digest.digest()


def _arrays(shapes: Sequence[Any], buffers: List[Any]) -> Dict[str, Any]:
    """Read-only arrays by name."""
    arrays: Dict[str, Any] = {}
    for name, dtype, shape in shapes:
        if dtype is None:
            array = np.empty(len(shape), dtype=object)
            array[:] = shape
        else:
            kind = np.dtype(str(dtype))
            if kind.kind not in "biuf":
                raise ValueError("%r is of the type %s" % (name, dtype))
            array = np.frombuffer(buffers.pop(0), kind).reshape(shape)
        arrays[str(name)] = array
    return arrays


def _text(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (str, float)):
        return value
    raise TypeError("%r holds %r, neither numbers nor text" % (name, value))


def grouped(**groups: Any) -> Dict[str, Any]:
    """Arrays of several mappings as one, ``group/name``; groups that are None are left out."""
    return {
        "%s/%s" % (group, name): values
        for group, columns in groups.items()
        if columns is not None
        for name, values in columns.items()
    }


FIELDS = {
    "hello": ("pid", "python", "numpy"),
    "open": ("factory", "params"),
    "ready": ("notes",),
    "run": ("method", "frames", "given", "path", "number"),
    "rows": (),
    "done": ("cancelled", "notes", "source"),
    "error": ("type", "text", "hint"),
    "cancel": (),
    "quit": (),
}
"""The kinds of messages and their fields."""


def sift(message: Message, say: Callable[[str], None]) -> Optional[Message]:
    """The message without what is not known of it; None if it is of an unknown kind.

    A newer side may say more than this one understands; ``say`` is told what is ignored.
    """
    if message.kind not in FIELDS:
        say("message %.40r ignored: it is not known" % message.kind)
        return None
    extra = sorted(set(message.fields) - set(FIELDS[message.kind]))
    if extra:
        say("of message %r ignored: %.80s" % (message.kind, ", ".join(extra)))
    known = {name: v for name, v in message.fields.items() if name not in extra}
    return message._replace(fields=known)
