"""The host's end of the connection to one worker."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from socket import getfqdn
from typing import Any

import zmq

from trackleed.errors import EnvironmentUnusable
from trackleed_kit.messages import HOST, WORKER, Message, Seal, sift

_LONGEST_SOCKET_PATH = 100  # bytes; the system allows 108
_LINGER = 1000  # ms


class Link:
    """Binds for one worker, sends it signed messages and receives its own.

    Parameters
    ----------
    folder : Path
        Private folder for the sockets.
    address : str, optional
        ``tcp://HOST:PORT`` for a worker on another machine; everything is then encrypted (CURVE).
        The heartbeat takes the next port.
    say : callable
        Told what is ignored.

    Raises
    ------
    EnvironmentUnusable
        If it cannot listen there.
    """

    def __init__(self, folder: Path, address: str | None, say: Callable[[str], None]) -> None:
        self._say = say
        self._identity = secrets.token_hex(16)
        self._key = secrets.token_bytes(32)
        self._seal = Seal(self._key, HOST, WORKER)
        self._context = zmq.Context()
        self._curve = _curve() if address else {}
        self._socket, self._address = self._bound(address, folder / "work")
        beside = f"{address.rpartition(':')[0]}:{_port(address) + 1}" if address else None
        self._heart, self._heart_address = self._bound(beside, folder / "heart")
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._heart, zmq.POLLIN)
        self._asked: list[bytes] = []
        self._asked_at = self._answered_at = self._listened_at = time.monotonic()

    def write_connection(self, path: Path, packages: Mapping[str, str], paths: list[str]) -> None:
        """Write the file that a worker is started with; only this user can read it."""
        content = {
            "address": _reachable(self._address),
            "heartbeat": _reachable(self._heart_address),
            "identity": self._identity,
            "key": self._key.hex(),
            "curve": self._curve.get("worker"),
            "packages": dict(packages),
            "paths": paths,
        }
        path.unlink(missing_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as text:
            json.dump(content, text)

    def send(
        self, kind: str, fields: Mapping[str, Any], arrays: Mapping[str, Any] | None = None
    ) -> None:
        """Send one message."""
        parts = self._seal.pack(kind, fields, arrays or {})
        self._socket.send_multipart([self._identity.encode(), *parts], copy=False)

    def receive(self, wait: float) -> Message | None:
        """The next message that is understood; None if ``wait`` seconds bring none.

        What comes from anybody else is ignored, and the log says so.

        Raises
        ------
        MessageError
            If a message of the worker cannot be believed.
        """
        until = time.monotonic() + wait
        while True:
            left = max(0.0, until - time.monotonic())
            ready = dict(self._poller.poll(int(1000 * left)))
            if self._heart in ready:
                self._hear()
            if self._socket in ready:
                sender, *parts = self._socket.recv_multipart()
                if sender != self._identity.encode():
                    self._say("a message of a stranger ignored")
                elif (message := sift(self._seal.unpack(parts), self._say)) is not None:
                    return message
            if left == 0.0:
                return None

    def silence(self, every: float) -> float:
        """Seconds for which no heartbeat was answered; asks anew ``every`` so often.

        Time in which nobody listened does not count.
        """
        now = time.monotonic()
        if now - self._listened_at > 1.0 + every:
            self._answered_at = now
        self._listened_at = now
        if now - self._asked_at >= every:
            self._asked_at = now
            self._asked.append(secrets.token_bytes(8))
            self._heart.send_multipart([self._identity.encode(), self._asked[-1]])
        return now - self._answered_at

    def close(self) -> None:
        """Close it; what was sent has a second to leave."""
        self._socket.close(linger=_LINGER)
        self._heart.close(linger=0)
        self._context.term()

    def _hear(self) -> None:
        sender, *parts = self._heart.recv_multipart()
        if sender == self._identity.encode() and parts and parts[0] in self._asked:
            self._asked.clear()
            self._answered_at = time.monotonic()

    def _bound(self, address: str | None, path: Path) -> tuple[zmq.Socket[bytes], str]:
        socket = self._context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.LINGER, 0)
        if address is not None:
            socket.curve_server = True
            socket.curve_secretkey = self._curve["host"]["secret"].encode()
        elif sys.platform == "win32" or len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
            address = "tcp://127.0.0.1:*"
        else:
            address = f"ipc://{path}"
        try:
            socket.bind(address)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise EnvironmentUnusable(f"cannot listen at {address}: {error.strerror}") from error
        return socket, socket.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0")  # type: ignore[union-attr]


def _reachable(address: str) -> str:
    """The address to connect to, where all of this machine's were bound."""
    return address.replace("tcp://0.0.0.0:", f"tcp://{getfqdn()}:")


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def _curve() -> dict[str, dict[str, str]]:
    host_public, host_secret = (key.decode() for key in zmq.curve_keypair())
    public, secret = (key.decode() for key in zmq.curve_keypair())
    return {
        "host": {"secret": host_secret},
        "worker": {"server": host_public, "public": public, "secret": secret},
    }
