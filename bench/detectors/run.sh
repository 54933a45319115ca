#!/bin/sh
# Sets dais-detect's statistical and distance detectors beside PyOD's, scikit-learn's and isotree's; see ../README.md.
# DAIS_DATA: the data folder (default ../shared/data beside the project). BENCH_PYTHON: a Python that has the packages.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
export DAIS_DATA="${DAIS_DATA:-$root/../shared/data}"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1

if [ -z "${BENCH_PYTHON:-}" ]; then
    venv="$target/bench-detectors"
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
    BENCH_PYTHON="$venv/bin/python"
fi
cargo build --quiet --release --manifest-path "$root/Cargo.toml" --package dais-detect --example detector_table
"$target/release/examples/detector_table" 5
exec "$BENCH_PYTHON" "$here/run.py"
