#!/bin/sh
# Compares dais-detect's isolation forest with scikit-learn's and coniferest's; see ../README.md.
# DAIS_DATA: the data folder (default ../shared/data beside the project). BENCH_PYTHON: a Python that has both packages.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
export DAIS_DATA="${DAIS_DATA:-$root/../shared/data}"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

if [ -z "${BENCH_PYTHON:-}" ]; then
    venv="$target/bench-isolation-forest"
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
    BENCH_PYTHON="$venv/bin/python"
fi
cargo build --quiet --release --manifest-path "$root/Cargo.toml" --package dais-detect --example forest_speed
exec "$BENCH_PYTHON" "$here/run.py" "$target/release/examples/forest_speed" "$@"
