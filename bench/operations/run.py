"""What operating a run costs: the same run with nothing on and with more and more on, in turns.

A ratio is one of two runs that follow each other. Processor time counts everything that the process did, on all its
threads; the time of the steps is what the run took by the clock.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket

LOGS = {"logging.level": "info", "logging.file": "dais.log", "logging.format": "json"}


class Collector(BaseHTTPRequestHandler):
    """Takes whatever it is sent, as a collector of OTLP over HTTP does."""

    protocol_version = "HTTP/1.1"
    received = 0

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        Collector.received += len(self.rfile.read(length))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def measured(dais, chosen, settings, folder):
    """Runs once; returns seconds of processor time and seconds of steps."""
    place = Path(folder)
    command = [dais, "run", "--agents", str(chosen.agents), "--steps", str(chosen.steps), "--seed", "7"]
    command += ["--worlds", "collaborative", "--quiet", "--force", "--out", "run", "--threads", "1"]
    command += ["--set", f"traffic.synthetic.flows_per_step={chosen.flows}"]
    for key, value in settings.items():
        command += ["--configure", f"{key}={value}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=place, check=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    for log in place.glob("dais.log*"):
        log.unlink()
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return used, json.loads((place / "run" / "summary.json").read_text())["wall_s"]


def spread(ratios):
    """Median and quartiles of how much more it is, in per cent."""
    more = [100 * (ratio - 1) for ratio in ratios]
    quartiles = statistics.quantiles(more, n=4) if len(more) > 1 else more * 3
    return statistics.median(more), quartiles[0], quartiles[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dais")
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--flows", type=int, default=100, help="flows of an agent in a step")
    chosen = parser.parse_args()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    watched = {"monitoring.enable_prometheus": "true", "monitoring.metrics_port": free_port()}
    traced = {
        "monitoring.tracing.enable": "true",
        "monitoring.tracing.endpoint": f"http://127.0.0.1:{server.server_port}",
    }
    variants = {
        "nothing again": ({}, None),
        "logs at info": (LOGS, 2),
        "logs, metrics, health": (LOGS | watched, 3),
        "logs, metrics, health, traces": (LOGS | watched | traced, 10),
    }
    ratios = {name: [] for name in variants}
    bare = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        measured(chosen.dais, chosen, {}, folder)
        for pair in range(chosen.pairs):
            for name, (settings, _) in variants.items():
                # Each of the two goes first as often as the other.
                order = [{}, settings] if pair % 2 == 0 else [settings, {}]
                times = [measured(chosen.dais, chosen, one, folder) for one in order]
                nothing, something = times if pair % 2 == 0 else times[::-1]
                bare.append(nothing)
                ratios[name].append([more / less for more, less in zip(something, nothing)])

    cpu, wall = (statistics.median(column) for column in zip(*bare))
    print(f"{chosen.agents} agents, {chosen.steps} steps, {chosen.flows} flows a step; {chosen.pairs} pairs of runs")
    print(f"nothing on: {cpu:.2f} s of processor time, {1000 * wall / chosen.steps:.2f} ms a step")
    print(f"collector: {Collector.received / 1024:.0f} KiB; {time.monotonic() - began:.0f} s in all\n")
    print("| on | processor time, median (quartiles) | time of steps, median (quartiles) | target | met |")
    print("|---|---|---|---|---|")
    for name, (_, target) in variants.items():
        cells = [spread(column) for column in zip(*ratios[name])]
        shown = [f"{middle:+.2f} % ({low:+.2f} to {high:+.2f})" for middle, low, high in cells]
        met = "" if target is None else "yes" if all(cell[0] < target for cell in cells) else "no"
        print(f"| {name} | {shown[0]} | {shown[1]} | {'' if target is None else f'< {target} %'} | {met} |")


# A configuration of this machine must not reach the runs.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}

if __name__ == "__main__":
    main()
