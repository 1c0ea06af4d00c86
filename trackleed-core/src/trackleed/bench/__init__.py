"""Trackers compared on simulated and labelled series.

from trackleed.bench import bench
result = bench(["leed-1"], ["pattern", "lk"], level="middle", to="out/")
result.table            # a DataFrame, one line for each scenario and tracker
"""

from trackleed.bench.benchmark import Benchmark, bench, ready_trackers

__all__ = ["Benchmark", "bench", "ready_trackers"]
