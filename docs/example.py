# %% [markdown]
# # A cooling run, from frames to numbers
#
# A series is simulated, so that the truth is known, and then measured as any other: import,
# detect, track, refine, analyse, export. VS Code and Jupyter (with Jupytext) open this file as a
# notebook; `python docs/example.py` runs it through. [example.md](example.md) shows it with its
# output, as `python docs/run_example.py` writes it.

# %%
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import trackleed as tl
from trackleed.simulate import simulate, write

pd.set_option("display.width", 110, "display.max_columns", 20)
os.chdir(tempfile.mkdtemp(prefix="trackleed-"))  # everything below is written there

# %% [markdown]
# ## A series
#
# Ag(111) cooled from 300 to 100 K at 160 eV, 12 frames. The crystal shrinks, so its spots move
# outwards, by 0.4 %. Temperatures and energies are in the file names, as a camera's program might
# write them.

# %%
series = simulate("cooling", frames=12, size=256)
write(series, "frames")
for path in sorted(Path("frames").glob("*.tif"))[:3]:
    print(path.name)

# %% [markdown]
# ## Import
#
# A new session with a copy of the frames, and what is known about each. By default the screen is
# found by itself; here the simulator's own is given, as you would give one that you drew: white is
# screen, black is not.

# %%
run = tl.import_frames("frames", "cooling.trackleed", mask="frames/truth/valid.png")
imported = run.session.latest("import")
print(imported.message)
index = run.table(imported)
print(index[["frame", "source", "temperature_K", "energy_eV"]].head(3))

# %% [markdown]
# ## Detect, track, refine
#
# Each verb adds a step to the session, which is handed to the next. Called again with the same
# options it returns the step that is there.

# %%
detections = run.detect("classic")
tracks = run.track("pattern", detections=detections)
fits = run.refine("gaussian", tracks=tracks)
spots = run.table(fits)
print(spots["status"].value_counts().to_string())

# %% [markdown]
# Only fits that are `ok` count. [tables.md](tables.md) says what the other words mean.

# %%
good = spots[spots["status"] == "ok"]
print(good[["frame", "track_id", "x", "x_err", "y", "y_err", "fwhm_x", "snr"]].head(5).round(3))

# %% [markdown]
# ## Analyse
#
# The pattern's centre in every frame, how far each spot is from it, and intensities. A line through
# the radii of each spot tells how far the pattern grows; the spots' scatter tells the error.

# %%
centres, radii, intensities = run.analyse(fits=fits)
print(run.table(centres)[["frame", "x", "x_err", "y", "y_err", "mode", "n_spots"]].head(3).round(3))

radius = run.table(radii).pivot(index="frame", columns="track_id", values="radius").dropna(axis=1)
temperature = index["temperature_K"]
slope, _ = np.polyfit(temperature, radius / radius.mean(), 1)
growth = 100 * slope * (temperature.iloc[-1] - temperature.iloc[0])
error = growth.std(ddof=1) / np.sqrt(len(growth))
print(f"{len(growth)} spots move outwards by ({growth.mean():.2f} ± {error:.2f}) %")

# %% [markdown]
# ## Compare with the truth
#
# Each fit belongs to the true spot nearest to it. A pull is the deviation over the standard error:
# if the errors are honest, pulls have mean 0 and standard deviation 1.

# %%
truth = series.truth
pairs = good.merge(truth[truth["visible"]], on="frame", suffixes=("", "_true"))
for axis in ("x", "y"):
    pairs[f"d{axis}"] = pairs[axis] - pairs[f"{axis}_true"]
    pairs[f"pull_{axis}"] = pairs[f"d{axis}"] / pairs[f"{axis}_err"]
pairs["apart"] = np.hypot(pairs["dx"], pairs["dy"])
pairs = pairs.sort_values("apart").drop_duplicates(["frame", "track_id"]).query("apart < 3")
print(f"{len(pairs)} of {len(good)} fits belong to a spot that is there")

bright = pairs["snr_true"] >= 30
for name, some in {"all": pairs, "snr >= 30": pairs[bright], "snr < 30": pairs[~bright]}.items():
    deviations = some[["dx", "dy", "pull_x", "pull_y"]].agg(["mean", "std"])
    print(f"\n{name}: {len(some)} fits\n{deviations.round(3)}")

# %% [markdown]
# ## Export
#
# CSV files for other programs, and pictures to judge the tracks by.

# %%
for exporter in ("csv", "overlays"):
    for path in run.export(exporter, fits=fits):
        if not path.name.startswith("frame_"):
            print(path.relative_to(run.session.path))

# %% [markdown]
# The session keeps all of it, with every option of every step.

# %%
for step in tl.open_run("cooling.trackleed").session.steps:
    print(f"{step.id:<12} {step.backend:<32} {step.status}")
