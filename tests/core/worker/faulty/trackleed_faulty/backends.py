"""As an adapter is written: Python 3.8, numpy and the kit."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from trackleed_kit import place
from trackleed_kit.errors import BadInput
from trackleed_kit.states import LOST, MEASURED


class Tracker:
    """Each seed stays where it was, scored by the light there; a fault at frame ``at``."""

    def __init__(self, params):
        self.params = params
        if params.checkpoint:
            place.checkpoint(params.checkpoint)
        time.sleep(params.load)

    def track(self, frames, seeds, detections):
        if seeds is None:
            raise BadInput("there are no seeds", "give some")
        n = len(seeds["x"])
        for i, frame in enumerate(frames):
            if i == self.params.at:
                time.sleep(0.2)  # a crash takes along what has not left the process yet
                getattr(self, self.params.fault)()
            time.sleep(self.params.pause)
            x, y = seeds["x"], seeds["y"]
            seen = frames.valid[y.astype(int), x.astype(int)]
            yield {
                "frame": np.full(n, i),
                "track_id": seeds["track_id"],
                "x": np.where(seen, x, np.nan),
                "y": np.where(seen, y, np.nan),
                "width": seeds["width"],
                "height": seeds["height"],
                "score": frame[y.astype(int), x.astype(int)].astype(float),
                "state": np.where(seen, MEASURED, LOST),
            }

    def nothing(self):
        pass

    def kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def stop(self):
        os.kill(os.getpid(), signal.SIGSTOP)

    def segfault(self):
        ctypes.string_at(0)

    def memory(self):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + 100_000_000
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        np.ones(1_000_000_000)

    def throw(self):
        raise ValueError("lost my way")

    def leave(self):
        sys.exit(3)

    def ignore_all(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.loop()

    def loop(self):
        while True:
            pass

    def hold_the_gil(self):
        ctypes.PyDLL(None).usleep(int(1e6 * self.params.seconds))

    def with_a_child(self):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("child", child.pid, flush=True)
        self.hold_the_gil()

    def flood(self):
        for _ in range(100_000):
            print("x" * 200)

    def versions(self):
        ours = sorted({"trackleed", "pydantic", "pluggy"}.intersection(sys.modules))
        raise ValueError("Python {}.{} with {}".format(*sys.version_info[:2], ours))


class Detector:
    """The brightest pixel of each frame."""

    def __init__(self, params):
        self.params = params
        self.n = 0

    def detect(self, frame, valid):
        if self.n == self.params.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.n += 1
        y, x = np.unravel_index(np.argmax(np.where(valid, frame, 0)), frame.shape)
        one = np.ones(1)
        return {"x": x * one, "y": y * one, "width": 9 * one, "height": 9 * one, "score": one}


class Refiner:
    """The light of the whole frame for every ROI; all else of a fit stays unknown."""

    def __init__(self, params):
        self.params = params

    def refine(self, frames, rois):
        n = len(rois["frame"])
        fits = {name: np.full(n, np.nan) for name in NUMBERS}
        fits["volume"] = np.array([float(frames[int(i)].sum()) for i in rois["frame"]])
        fits.update(frame=rois["frame"], track_id=rois["track_id"])
        fits.update(status=np.full(n, "too_dim"), saturated=np.zeros(n, bool))
        return fits


class Reader:
    """Files of raw pixels: width, height, then numbers of 16 bit."""

    def __init__(self, params):
        self.params = params
        self.skipped = ["nothing was skipped"]
        self.notes = []

    def open(self, path):
        self.files = sorted(path.parent.glob(path.name))
        n = len(self.files)
        self.shape = self.read(0).shape
        self.dtype = np.dtype("<u2")
        unknown = ("time_s", "temperature_K", "coverage_ML", "exposure_s", "beam_current_A")
        self.index = {name: np.full(n, np.nan) for name in unknown}
        self.index.update(frame=np.arange(n), energy_eV=50.0 + np.arange(n))
        self.index["source"] = np.array([file.name for file in self.files], dtype=object)
        return self

    def __len__(self):
        return len(self.files)

    def read(self, i):
        if i == self.params.at:
            self.kill()
        width, height, *pixels = np.fromfile(str(self.files[i]), "<u2")
        return np.array(pixels, "<u2").reshape(height, width)

    kill = Tracker.kill


NUMBERS = [
    *("x", "y", "x_err", "y_err", "amplitude", "amplitude_err", "offset", "offset_err"),
    *("sigma_x", "sigma_y", "sigma_x_err", "sigma_y_err", "theta_deg", "theta_err_deg"),
    *("fwhm_x", "fwhm_y", "fwhm_x_err", "fwhm_y_err", "volume_err", "asymmetry"),
    *("r_squared", "chi2_red", "snr"),
]
