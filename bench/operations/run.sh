#!/bin/sh
# Measures what operating a run costs: logs, metrics and health, traces, each against a run with none of it; see ../README.md.
# run.sh [--pairs N] [--agents N] [--steps N]. DAIS: a binary to measure, in place of one that is built.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

if [ -z "${DAIS:-}" ]; then
    cargo build --quiet --release --manifest-path "$root/Cargo.toml" --package dais-cli
    DAIS="$target/release/dais"
fi
exec python3 "$here/run.py" "$DAIS" "$@"
