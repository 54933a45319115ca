"""Times three isolation forests on the same rows in one run, in turns, and prints a table with ratios.

usage: run.py FOREST_SPEED [--repeats N] [--file CSV_GZ]

100 trees of 256 rows, one thread, processor time. Every repetition runs each program once; the table shows the
median and the smallest of the repetitions. A ratio above 1 means that dais-detect is faster by that factor.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time

import coniferest.isoforest
import numpy as np
import sklearn
import sklearn.ensemble
import sklearn.metrics
from importlib.metadata import version

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("forest_speed", help="the built example of dais-detect")
parser.add_argument("--repeats", type=int, default=5, help="repetitions (default 5)")
parser.add_argument("--file", default=os.path.join(os.environ.get("DAIS_DATA", "."), "adbench", "http.csv.gz"),
                    help="labelled csv, the last column 0 or 1 (default adbench/http.csv.gz in DAIS_DATA)")
arguments = parser.parse_args()
if not os.path.exists(arguments.file):
    sys.exit(f"{arguments.file} is missing; set DAIS_DATA to the data folder")


def dais(*words):
    output = subprocess.run([arguments.forest_speed, *words], check=True, capture_output=True, text=True)
    return json.loads(output.stdout)


def timed(work):
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def scikit_learn(seed):
    model = sklearn.ensemble.IsolationForest(n_estimators=100, max_samples=256, n_jobs=1, random_state=seed)
    return model, model.fit, model.score_samples


def coniferest_forest(seed):
    model = coniferest.isoforest.IsolationForest(n_trees=100, n_subsamples=256, n_jobs=1, random_seed=seed)
    return model, model.fit, model.score_samples


others = {"scikit-learn": scikit_learn, "coniferest": coniferest_forest}
table = np.loadtxt(arguments.file, delimiter=",", skiprows=1)
rows, attack = np.ascontiguousarray(table[:, :-1]), table[:, -1]
generator = np.random.default_rng(1)
baseline, batch = generator.normal(size=(256, 20)), generator.normal(size=(100, 20))

names = ["dais-detect", *others]
large = {name: {"fit": [], "score": [], "auroc": []} for name in names}
small = {name: {"fit": [], "score": []} for name in names}
for repetition in range(arguments.repeats):
    ours = dais(arguments.file, "1", str(repetition))
    large["dais-detect"]["fit"].append(ours["fit_ms"])
    large["dais-detect"]["score"].append(ours["cpu_s"])
    large["dais-detect"]["auroc"].append(ours["auroc_mean"])
    ours = dais("small", "100")
    small["dais-detect"]["fit"].append(ours["fit_ms"])
    small["dais-detect"]["score"].append(ours["score_100_ms"])
    for name, build in others.items():
        _, fit, score = build(repetition)
        _, fit_s = timed(lambda: fit(rows))
        scores, score_s = timed(lambda: score(rows))
        large[name]["fit"].append(1e3 * fit_s)
        large[name]["score"].append(score_s)
        large[name]["auroc"].append(sklearn.metrics.roc_auc_score(attack, -scores))
        fits, scorings = [], []
        for seed in range(20):
            _, fit, score = build(seed)
            fits.append(timed(lambda: fit(baseline))[1])
            scorings.append(timed(lambda: score(batch))[1])
        small[name]["fit"].append(1e3 * statistics.median(fits))
        small[name]["score"].append(1e3 * statistics.median(scorings))


def line(label, unit, figures, digits):
    """One row of the table: median (smallest) of each program, and the ratios of the medians."""
    ours = statistics.median(figures["dais-detect"])
    cells = [f"{statistics.median(v):.{digits}f} ({min(v):.{digits}f})" for v in figures.values()]
    ratios = [f"{statistics.median(figures[name]) / ours:.1f}x" for name in others]
    print("| " + " | ".join([f"{label}, {unit}", *cells, *ratios]) + " |")


count, features = rows.shape
with open("/proc/cpuinfo") as info:
    model = next((text.split(":")[1].strip() for text in info if text.startswith("model name")), platform.machine())
print(f"{os.path.basename(arguments.file)}, {count} rows x {features}; {model}; Python {platform.python_version()}, "
      f"scikit-learn {sklearn.__version__}, coniferest {version('coniferest')}; "
      f"{arguments.repeats} repetitions: median (smallest)\n")
print("| processor time | " + " | ".join(names) + " | " + " | ".join(f"vs {name}" for name in others) + " |")
print("|---" * (1 + len(names) + len(others)) + "|")
line(f"fit, {count} x {features}", "ms", {name: large[name]["fit"] for name in names}, 2)
line(f"score {count} rows", "s", {name: large[name]["score"] for name in names}, 3)
line("fit, 256 x 20", "ms", {name: small[name]["fit"] for name in names}, 3)
line("score 100 rows x 20", "ms", {name: small[name]["score"] for name in names}, 3)
print()
for name in names:
    speed = count / statistics.median(large[name]["score"])
    areas = large[name]["auroc"]
    print(f"{name}: {speed:,.0f} rows per second of processor time; "
          f"AUROC {statistics.mean(areas):.5f} +- {statistics.pstdev(areas):.5f}")
