"""Run in place of a worker's interpreter: starts one that breaks the protocol as FAKE says."""

import json
import os
import runpy
import sys
import threading
import time
from pathlib import Path

import zmq

start, connection_file, pipe = sys.argv[-3:]
sys.path.insert(0, str(Path(start).parents[2]))
connection = json.loads(Path(connection_file).read_text())

from trackleed_kit import messages  # noqa: E402 (there is no such package here before)
from trackleed_kit.messages import HOST, WORKER, Seal  # noqa: E402
from trackleed_kit.worker.link import Link  # noqa: E402


def socket(identity):
    made = zmq.Context.instance().socket(zmq.DEALER)
    made.setsockopt(zmq.IDENTITY, identity.encode())
    made.connect(connection["address"])
    return made


def wait():
    time.sleep(60)


def wrong_key():
    connection["key"] = "00" * 32


def wrong_version():
    messages.VERSION = b"2"


def garbage():
    socket(connection["identity"]).send_multipart([b"rubbish", b"\x00\xff"])
    wait()


def garbage_in_form():
    socket(connection["identity"]).send_multipart([messages.VERSION, b"", b"{", b"\x00"])
    wait()


def replay():
    seal = Seal(bytes.fromhex(connection["key"]), WORKER, HOST)
    mine = socket(connection["identity"])
    hello = seal.pack("hello", {"pid": 1, "python": "3", "numpy": "1"}, {})
    mine.send_multipart(hello)
    mine.send_multipart(hello)
    wait()


def talkative():
    pack = Seal.pack

    def pack_more(self, kind, fields, arrays):
        return pack(self, kind, dict(fields, gossip="x"), arrays)

    Seal.pack = pack_more
    send = Link.send

    def send_more(self, kind, fields, arrays=None):
        send(self, "chatter", {})
        send(self, kind, fields, arrays)

    Link.send = send_more


def strangers():
    def forge():
        stranger = socket("somebody else")
        seal = Seal(b"guessed", WORKER, HOST)
        for _ in range(200):
            stranger.send_multipart(seal.pack("rows", {}, {}))
            stranger.send_multipart([b"", b"\xff" * 1000])
            time.sleep(0.001)

    threading.Thread(target=forge, daemon=True).start()


globals()[os.environ["FAKE"]]()
changed = Path(connection_file).with_suffix(".changed")
changed.write_text(json.dumps(connection))
sys.argv = [start, str(changed), pipe]
runpy.run_path(start, run_name="__main__")
