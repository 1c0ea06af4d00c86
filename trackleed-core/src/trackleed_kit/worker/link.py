"""The worker's end of the connection."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional

import zmq

from trackleed_kit.messages import HOST, WORKER, Message, MessageError, Seal, sift

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

SILENCE = 30.0
"""Seconds after which a worker on another machine, cut off from its host, ends."""

_LINGER = 5000  # ms that the last messages have to leave


class Link:
    """Sends signed messages to the host and receives its own.

    Parameters
    ----------
    connection : mapping
        What the connection file holds: addresses, identity, key.
    """

    def __init__(self, connection: Mapping[str, Any]) -> None:
        self.connection = connection
        self.context = zmq.Context()
        self.socket = self._socket()
        self.seal = Seal(bytes.fromhex(connection["key"]), WORKER, HOST)
        if connection.get("watch") is None:
            self._end_with_host()
        self.socket.connect(connection["address"])
        self._echo = threading.Thread(target=self._heartbeat, args=(self._socket(),), daemon=True)
        self._echo.start()

    def send(
        self, kind: str, fields: Mapping[str, Any], arrays: Optional[Mapping[str, Array]] = None
    ) -> None:
        """Send one message."""
        self.socket.send_multipart(self.seal.pack(kind, fields, arrays or {}))

    def receive(self, wait: Optional[float] = None) -> Optional[Message]:
        """The next message that is understood; None if ``wait`` seconds bring none.

        Raises
        ------
        MessageError
            If a message cannot be believed: the connection is at its end.
        """
        while True:
            if not self.socket.poll(None if wait is None else int(1000 * wait)):
                return None
            message = sift(self.seal.unpack(self.socket.recv_multipart()), say)
            if message is not None:
                return message

    def close(self) -> None:
        """Wait until all that was sent has left, though not for ever."""
        self.socket.close(linger=_LINGER)
        self.context.term()

    def _socket(self) -> zmq.Socket[bytes]:
        socket = self.context.socket(zmq.DEALER)
        socket.setsockopt(zmq.IDENTITY, str(self.connection["identity"]).encode())
        socket.setsockopt(zmq.LINGER, 0)
        curve: Dict[str, str] = self.connection.get("curve") or {}
        if curve:
            socket.curve_serverkey = curve["server"].encode()
            socket.curve_publickey = curve["public"].encode()
            socket.curve_secretkey = curve["secret"].encode()
        return socket

    def _heartbeat(self, socket: zmq.Socket[bytes]) -> None:
        """Send back whatever comes, in C: it answers while Python is held up elsewhere."""
        socket.connect(self.connection["heartbeat"])
        try:
            zmq.proxy(socket, socket)
        except zmq.ZMQError:
            pass  # the context is being closed
        finally:
            socket.close()

    def _end_with_host(self) -> None:
        """On another machine no pipe tells that the host is gone; the connection does."""
        self.socket.setsockopt(zmq.HEARTBEAT_IVL, int(1000 * SILENCE / 6))
        self.socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, int(1000 * SILENCE))
        events = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
        monitor = self.socket.get_monitor_socket(events)

        def watch() -> None:
            connected = True
            try:
                while monitor.poll(None if connected else int(1000 * SILENCE)):
                    event = int.from_bytes(monitor.recv_multipart()[0][:2], sys.byteorder)
                    connected = event == zmq.EVENT_HANDSHAKE_SUCCEEDED
            except zmq.ZMQError:  # the context is being closed
                monitor.close()
                return
            say("the host is gone")
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def say(text: str) -> None:
    """Write a line into the worker's log."""
    print("trackleed: %s" % text, file=sys.stderr, flush=True)


__all__ = ["Link", "MessageError", "say"]
