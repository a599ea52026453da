"""What is measured, and how. README.md says why so."""

import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace

from . import process
from .receivers import RECEIVERS, started

# A receiver that needs so much longer than its hold to be done with what it took has fallen behind.
BEHIND_SECONDS = 2

# For a run that measures cost, so long may it take until all is done.
DONE_SECONDS = 120

# What a run at a rate may take longer than its schedule.
LATE = 1.05

# Requests, and so spans, come in turns of this many spans in either layout.
TURN = 500


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    spans: int
    cores: int
    spread: bool
    # Traces and logins are held for so long before they count as complete: ../authstitch and ../collector read it.
    hold_seconds: int
    batch: int = 100
    in_flight: int = 16
    latency_rate: int = 10_000
    latency_seconds: int = 10
    probes: int = 5
    probe_seconds: int = 6
    attempts: int = 20_000
    sender_seconds: int = 5

    @staticmethod
    def full(options):
        return Plan(options.rounds, options.spans, options.cores, options.spread, options.hold)

    @staticmethod
    def quick(options):
        small = {"latency_seconds": 1, "probes": 0, "attempts": 4_000, "sender_seconds": 2}
        return Plan(1, min(options.spans, 50_000), options.cores, options.spread, options.hold, **small)

    def unpinned(self):
        """The same with all cores for everything."""
        return replace(self, cores=len(os.sched_getaffinity(0)))

    def split(self):
        """Cores for what is measured, and for what is beside it."""
        cores = sorted(os.sched_getaffinity(0))
        return cores[: self.cores], cores[self.cores :] or cores


class Session:
    """A receiver that runs, what was sent to it, and what it took of that."""

    def __init__(self, receiver, running, tools, plan):
        self.receiver, self.running, self.tools, self.plan = receiver, running, tools, plan
        self.sent = self.taken = 0

    def send(self, spans, rate=0):
        """Sends the next part of the stream; the sender's report with its CPU-seconds."""
        spans = max(spans // TURN, 1) * TURN
        first = self.sent // self.plan.batch
        command = [self.tools.sender, "--endpoint", f"127.0.0.1:{self.running.grpc}", "--spans", spans, "--rate", rate]
        command += ["--batch", self.plan.batch, "--in-flight", self.plan.in_flight, "--first", first]
        command += ["--spread"] if self.plan.spread else []
        self.sent += spans
        printed, cpu = process.run([str(part) for part in command], self.plan.split()[1], 900)
        report = json.loads(printed)
        self.taken += report["acknowledged"]
        return {**report, "cpu_seconds": cpu}

    def is_done(self, seconds):
        """Waits until the receiver has done its work on everything it took; not for ever."""
        end = time.monotonic() + seconds
        while process.metrics(self.running.metrics)[self.receiver.counts] * self.receiver.spans < self.taken:
            if time.monotonic() > end:
                return False
            time.sleep(0.25)
        return True


@contextmanager
def session(receiver, tools, plan):
    """A receiver that was started afresh."""
    cores, other_cores = plan.split()
    with started(receiver, tools, cores, other_cores, plan.hold_seconds) as running:
        yield Session(receiver, running, tools, plan)


def receiver(receiver, tools, plan):
    """Latency at a rate that all can take, cost as fast as it takes them, and the highest rate without loss."""
    with session(receiver, tools, plan) as run:
        calm = run.send(plan.latency_rate * plan.latency_seconds, plan.latency_rate)
        calm_done = run.is_done(DONE_SECONDS)
        program, before = run.running.program, run.running.program.cpu_seconds()
        flat = run.send(plan.spans)
        flat_done = run.is_done(DONE_SECONDS)
        cpu = program.cpu_seconds() - before
        peak = program.peak_mib()
    lost = sum(part["spans"] - part["acknowledged"] for part in (calm, flat))
    return {
        "cpu_seconds_per_million_spans": cpu / flat["acknowledged"] * 1e6,
        "sender_cpu_seconds_per_million_spans": flat["cpu_seconds"] / flat["spans"] * 1e6,
        "spans_per_second_unpaced": flat["acknowledged"] / flat["seconds"],
        "highest_loss_free_spans_per_second": highest_rate(receiver, tools, plan, flat["spans"] / flat["seconds"]),
        "p50_ms": calm["p50_us"] / 1000,
        "p99_ms": calm["p99_us"] / 1000,
        "peak_mib": peak,
        "span_bytes": flat["span_bytes"],
        "requests_sent_again": flat["requests_sent_again"],
        "lost_spans": lost,
        "did_all_its_work": calm_done and flat_done,
    }


def highest_rate(receiver, tools, plan, unpaced):
    """Halves the rates between nothing and somewhat more than it took unpaced; none without probes."""
    low, high = 0, 1.2 * unpaced
    for _ in range(plan.probes):
        rate = round((low + high) / 2)
        with session(receiver, tools, plan) as run:
            report = run.send(rate * plan.probe_seconds, rate)
            kept = report["acknowledged"] == report["spans"]
            in_time = report["seconds"] <= LATE * report["spans"] / rate
            if kept and in_time and run.is_done(plan.hold_seconds + BEHIND_SECONDS):
                low = rate
            else:
                high = rate
    return low or None


def sender(sender, tools, plan):
    """What a load maker delivers to authstitch, counted there, and what it spends on it. Nothing is bound to cores:
    alone on one, telemetrygen drops nearly all that it makes."""
    plan = plan.unpinned()
    sink = next(receiver for receiver in RECEIVERS if "--no-store" in receiver.options)
    with session(sink, tools, plan) as run:
        printed, cpu = process.run(sender.command(tools, run.running.grpc, plan), plan.split()[1], 900)
        counted = process.metrics(run.running.metrics)
    made = sender.made(printed)
    delivered = round(counted["authstitch_spans_total"] + counted["authstitch_log_records_total"])
    return {"made": made, "delivered": delivered, "cpu_seconds": cpu, "delivered_per_cpu_second": delivered / cpu}
