"""One run for a long time with logs at debug, metrics, health and checkpoints: is its memory flat, are its logs bounded?"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from socket import socket

SAMPLE_S = 5
LOG_BYTES = 1 << 20
LOG_FILES = 5
# A line is never cut in two, and the file under way and the one that is being packed stand beside those that are kept.
LOG_BOUND = (LOG_FILES + 2) * (LOG_BYTES + 4096)
# Memory may differ so much from its median.
FLAT = 0.05


def free_port():
    with socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def resident_mib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return None


def size(folder):
    total = files = 0
    for one in folder.glob("*"):
        try:
            total += one.stat().st_size
            files += 1
        except FileNotFoundError:
            # Rotated in between.
            pass
    return total, files


def value(port, name):
    """A counter of the run; None where it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), None)


def slope(samples):
    """Least squares: how much `y` grows by `x`."""
    xs, ys = zip(*samples)
    x, y = statistics.fmean(xs), statistics.fmean(ys)
    spread = sum((one - x) ** 2 for one in xs)
    return sum((a - x) * (b - y) for a, b in samples) / spread if spread else 0.0


def watch(chosen, child, folder, port):
    """Samples seconds, MiB, steps, bytes and files of the log, until the time is over or the run ends."""
    samples = []
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < 60 * chosen.minutes:
        if child.poll() is not None:
            sys.exit(f"the run ended after {elapsed:.0f} s with {child.returncode}")
        steps = value(port, "simulation_step_duration_seconds_count")
        samples.append((elapsed, resident_mib(child.pid), steps, *size(folder / "log")))
        time.sleep(SAMPLE_S)
    return samples


def verdict(chosen, samples):
    warm = [sample for sample in samples if sample[0] >= chosen.warm_up and sample[1] is not None]
    if len(warm) < 3:
        sys.exit(f"{len(warm)} samples after {chosen.warm_up} s of warm-up are too few")
    memory = [sample[1] for sample in warm]
    median = statistics.median(memory)
    worst = max(abs(one - median) for one in memory) / median
    flat = worst <= FLAT
    log_max, files_max = max(sample[3] for sample in samples), max(sample[4] for sample in samples)
    bounded = log_max <= LOG_BOUND and files_max <= LOG_FILES + 2
    counted = [(sample[2], sample[1]) for sample in warm if sample[2] is not None]
    grown = slope(counted) * 1024 * 1024 if len(counted) > 2 else 0.0
    answered = sum(sample[2] is not None for sample in samples)
    steps = max((sample[2] for sample in samples if sample[2] is not None), default=0)
    print(f"{chosen.minutes:g} minutes, {chosen.agents} agents, {steps:.0f} steps; {len(samples)} samples")
    print(f"memory after {chosen.warm_up} s: median {median:.1f} MiB, {min(memory):.1f} to {max(memory):.1f}, at most "
          f"{100 * worst:.1f} % off: {'flat' if flat else 'NOT FLAT'} (within {100 * FLAT:.0f} %)")
    print(f"growth: {grown:.0f} bytes a step")
    print(f"log: at most {log_max / 1024:.0f} KiB in {files_max} files: {'bounded' if bounded else 'NOT BOUNDED'} "
          f"(within {LOG_BOUND // 1024} KiB in {LOG_FILES + 2})")
    print(f"metrics answered {answered} of {len(samples)} times")
    return flat and bounded and answered == len(samples)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dais")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--warm-up", type=float, default=120, help="seconds")
    parser.add_argument("--checkpoint-interval", type=int, default=500, help="steps")
    parser.add_argument("--csv", type=Path, help="file for the samples")
    chosen = parser.parse_args()
    port = free_port()
    settings = {
        "logging.level": "debug",
        "logging.file": "log/dais.log",
        "logging.max_bytes": LOG_BYTES,
        "logging.backup_count": LOG_FILES,
        "logging.compress": "true",
        "monitoring.enable_prometheus": "true",
        "monitoring.metrics_port": port,
        "monitoring.health.interval_s": "5",
    }
    command = [chosen.dais, "run", "--agents", str(chosen.agents), "--steps", "10000000", "--seed", "7", "--quiet"]
    command += ["--worlds", "collaborative", "--out", "run", "--checkpoint-interval", str(chosen.checkpoint_interval)]
    for key, setting in settings.items():
        command += ["--configure", f"{key}={setting}"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "log").mkdir()
        environment = {key: one for key, one in os.environ.items() if key in ("PATH", "HOME", "TMPDIR")}
        child = subprocess.Popen(command, cwd=folder, env=environment)
        try:
            samples = watch(chosen, child, folder, port)
        finally:
            child.terminate()
            child.wait()
    if chosen.csv:
        rows = [",".join("" if cell is None else f"{cell:g}" for cell in sample) for sample in samples]
        chosen.csv.write_text("\n".join(["seconds,resident_mib,steps,log_bytes,log_files", *rows]) + "\n")
    sys.exit(0 if verdict(chosen, samples) else 1)


if __name__ == "__main__":
    main()
