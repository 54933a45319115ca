"""Fits the detectors of other projects on the rows that `detector_table` uses and prints a line for each in its form.

NSL-KDD: fitted on the normal rows of KDDTrain+, 38 numeric features as ln(1 + x), scored on KDDTest+. http and smtp: fitted and scored on
all rows. Values are rounded to 32 bits, as dais-detect reads them. Processor time of one thread; AUROC of drawn detectors is the
mean of 5 seeds.
"""

import csv
import gzip
import os
import platform
import time
import warnings
from importlib.metadata import version

import numpy as np
from isotree import IsolationForest
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.mcd import MCD
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

# Covariances of constant features: both are answered with a pseudo-inverse.
warnings.filterwarnings("ignore", message="The covariance matrix associated to your dataset is not full rank")
warnings.filterwarnings("ignore", message="Determinant has increased")

DATA = os.environ.get("DAIS_DATA", ".")
NOT_NUMERIC = ("protocol_type", "service", "flag", "label", "difficulty")


def as_read(values):
    return np.asarray(values, np.float32).astype(float)


def nsl_kdd(name):
    with gzip.open(f"{DATA}/nsl_kdd/{name}.csv.gz", "rt") as file:
        header, *rows = csv.reader(file)
    numeric = [place for place, column in enumerate(header) if column not in NOT_NUMERIC]
    values = np.array([[row[place] for place in numeric] for row in rows], float)
    attack = np.array([row[header.index("label")] != "normal" for row in rows])
    return as_read(np.log1p(np.maximum(values, 0))), attack


def adbench(name):
    table = np.loadtxt(f"{DATA}/adbench/{name}.csv.gz", delimiter=",", skiprows=1)
    return as_read(table[:, :-1]), table[:, -1] > 0.5


class Pyod:
    def __init__(self, model):
        self.fit, self.score = model.fit, model.decision_function


class Isotree:
    """As detector_table's: trees of the same size, cuts of the same number of features. Seeds far apart: tree `t` has `seed + t`."""

    def __init__(self, seed):
        model = IsolationForest(ntrees=100, sample_size=256, ndim=2, ntry=1, prob_pick_pooled_gain=0, missing_action="fail",
                                nthreads=1, random_seed=1000 * seed)
        self.fit, self.score = model.fit, model.predict


class Lof:
    """scikit-learn's on the same 1,024 evenly spaced rows, standardised in the same way."""

    def fit(self, rows):
        self.mean, self.scale = rows.mean(0), rows.std(0) + 0.05
        reference = rows[np.arange(1024) * len(rows) // 1024]
        self.model = LocalOutlierFactor(n_neighbors=20, novelty=True, n_jobs=1).fit((reference - self.mean) / self.scale)

    def score(self, rows):
        return -self.model.score_samples((rows - self.mean) / self.scale)


detectors = {
    "PyOD ECOD": (1, lambda _: Pyod(ECOD())),
    "PyOD COPOD": (1, lambda _: Pyod(COPOD())),
    "PyOD HBOS, 50 bins": (1, lambda _: Pyod(HBOS(n_bins=50))),
    "PyOD HBOS, 10 bins": (1, lambda _: Pyod(HBOS())),
    "PyOD MCD": (1, lambda _: Pyod(MCD(random_state=0))),
    "PyOD MCD, support 0.75": (1, lambda _: Pyod(MCD(support_fraction=0.75, random_state=0))),
    "isotree, ndim 2": (5, Isotree),
    "scikit-learn LOF": (1, lambda _: Lof()),
}
train, attack = nsl_kdd("KDDTrain+")
http, smtp = adbench("http"), adbench("smtp")
sets = {"NSL-KDD": (train[~attack], *nsl_kdd("KDDTest+")), "http": (http[0], *http), "smtp": (smtp[0], *smtp)}

# Numba compiles on the first call.
for _, build in detectors.values():
    model = build(1)
    model.fit(smtp[0][:2048])
    model.score(smtp[0][:2048])

packages = ", ".join(f"{package} {version(package)}" for package in ("pyod", "scikit-learn", "isotree", "numpy"))
print(f"\nPython {platform.python_version()}, {packages}\n")
print("| detector | rows | AUROC | fit, ms | scored rows/s |\n|---|---|---:|---:|---:|")
for rows, (baseline, test, attack) in sets.items():
    for name, (seeds, build) in detectors.items():
        areas, fits, scorings = [], [], []
        for seed in range(1, seeds + 1):
            model = build(seed)
            start = time.process_time()
            model.fit(baseline)
            fitted = time.process_time()
            scores = model.score(test)
            fits.append(fitted - start)
            scorings.append(time.process_time() - fitted)
            areas.append(roc_auc_score(attack, scores))
        print(f"| {name} | {rows} | {np.mean(areas):.4f} | {1e3 * min(fits):.1f} | {len(test) / min(scorings):.0f} |", flush=True)
