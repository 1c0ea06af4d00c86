"""The standard suite with our trackers and with linkers of other projects, in one table.

python benchmarks/suite.py [--level middle] [--to bench-peers]

The same as ``trackleed bench leed-1`` with the package in benchmarks/peers installed
(``pip install "./benchmarks/peers[peers]"``), which makes trackers of trackpy, with and without
its prediction of velocities, norfair and laptrack. What is done is kept in the folder.
"""

from __future__ import annotations

import argparse

from trackleed.bench import bench

OURS = ["pattern", "hungarian", "directional", "lk", "lk-skip"]
PEERS = ["trackpy", "trackpy-velocity", "norfair", "laptrack"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--level", choices=("easy", "middle", "hard"), default="middle")
    parser.add_argument("--to", default="bench-peers")
    options = parser.parse_args()
    result = bench(["leed-1"], [*OURS, *PEERS], level=options.level, to=options.to)
    print(result.markdown)


if __name__ == "__main__":
    main()
