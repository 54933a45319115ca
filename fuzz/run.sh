#!/usr/bin/env bash
# Fuzzes every parser of foreign bytes, or the targets that are named, for some minutes each; see README.md.
#
#   fuzz/run.sh [--minutes N] [TARGET...]      10 minutes each
#
# Beginnings of real files make the first corpus: DAIS_DATA is the data folder (default ../shared/data beside the project).
# What a target finds lies in fuzz/artifacts; a crash ends with its error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
data=${DAIS_DATA:-../../shared/data}
minutes=10
if [[ ${1-} == --minutes ]]; then
  minutes=$2
  shift 2
fi
mapfile -t all < <(sed -n 's/^name = "\(.*\)"/\1/p' Cargo.toml | tail -n +2)
targets=("${@:-${all[@]}}")
command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz

# Unpacks a file, plain or gzip.
unpacked() { if [[ $1 == *.gz ]]; then gzip -cd "$1"; else cat "$1"; fi; }

# The first lines of a file without those that begin with #, each few of them a seed.
lines() {
  local target=$1 file=$2
  mkdir -p "corpus/$target"
  [[ -r $file ]] || return 0
  { unpacked "$file" | grep -v '^#' | head -n 200 || true; } |
    split --lines 4 --additional-suffix "-$(basename "$file")" - "corpus/$target/"
}

# Whole small files, from a byte on.
whole() {
  local target=$1 file=$2 from=${3-1}
  mkdir -p "corpus/$target"
  if [[ -r $file ]]; then
    { unpacked "$file" | tail -c "+$from" | head -c 65536 || true; } >"corpus/$target/$(basename "$file" .gz)"
  fi
}

seed() {
  local target=$1 file
  case $target in
    any) for file in "$data"/*/*; do whole any "$file"; done ;;
    zeek_tsv) for file in "$data"/zeek_ctu50/* "$data"/zeek_small/*labeled.gz; do lines zeek_tsv "$file"; done ;;
    zeek_json) lines zeek_json "$data/zeek_small/nmap_scans_172.16.1.11.conn.json.log.gz" ;;
    suricata) lines suricata "$data/suricata/eve_home_24h_first5000.json.gz" ;;
    nsl_kdd) lines nsl_kdd "$data/nsl_kdd/KDDTest+.csv.gz" ;;
    table) lines table "$data/adbench/http.csv.gz" ;;
    # The targets bring the file headers: 24 bytes of a classic capture.
    pcap) for file in "$data"/pcap/*; do whole pcap "$file" 25; done ;;
    *) mkdir -p "corpus/$target" ;;
  esac
}

python3 seeds.py corpus
for target in "${targets[@]}"; do
  seed "$target"
  printf '\n== %s, %s minutes\n' "$target" "$minutes"
  # Without a sanitizer it runs on the stable toolchain; debug assertions and overflow checks are on.
  cargo fuzz run --sanitizer none --release "$target" -- \
    -max_total_time=$((minutes * 60)) -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1
done
