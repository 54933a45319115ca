#!/bin/sh
# Runs one process for MINUTES with everything on, and says whether its memory stays flat and its logs bounded; see ../README.md.
# soak.sh MINUTES [--agents N] [--warm-up SECONDS] [--csv FILE]. DAIS: a binary to run, in place of one that is built.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

if [ -z "${DAIS:-}" ]; then
    cargo build --quiet --release --manifest-path "$root/Cargo.toml" --package dais-cli
    DAIS="$target/release/dais"
fi
exec python3 "$here/soak.py" "$DAIS" "$@"
