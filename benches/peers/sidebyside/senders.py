"""The load makers that are compared. To add one, add a line to SENDERS."""

import re
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Sender:
    """A program that makes telemetry and sends it to an OTLP/gRPC port."""

    name: str
    command: Callable
    # How many spans and log records it made, from what it printed.
    made: Callable


def simulate(tools, port, plan):
    """Logins of people, each with its truth, sent without waiting for the time at which they happen."""
    world = ["--world", "baseline", "--seed", "1", "--attempts", str(plan.attempts), "--speed", "1000000"]
    return [tools.authstitch, "simulate", *world, "--endpoint", f"http://127.0.0.1:{port}"]


def templates(tools, port, plan):
    """Blocks of a thousand such logins, repeated with fresh ids, keys and times, which is what telemetrygen does too."""
    world = ["--world", "baseline", "--seed", "1", "--attempts", str(20 * plan.attempts), "--speed", "1000000"]
    return [tools.authstitch, "simulate", *world, "--templates", "1000", "--endpoint", f"http://127.0.0.1:{port}"]


def simulated(printed):
    return int(re.search(r"with ([\d,]+) spans", printed)[1].replace(",", ""))


def telemetrygen(workers):
    """The same small trace of five spans again and again, unthrottled, in batches of 100 spans."""

    def command(tools, port, plan):
        load = ["--workers", str(workers), "--duration", f"{plan.sender_seconds}s", "--rate", "0", "--child-spans", "4"]
        return [tools.telemetrygen, "traces", "--otlp-endpoint", f"127.0.0.1:{port}", "--otlp-insecure", *load]

    return command


def generated(printed):
    return 5 * sum(int(traces) for traces in re.findall(r"traces generated.*\"traces\": (\d+)", printed))


SENDERS = [
    Sender("authstitch simulate --templates", templates, simulated),
    Sender("authstitch simulate", simulate, simulated),
    Sender("telemetrygen, 1 worker", telemetrygen(1), generated),
    Sender("telemetrygen, 4 workers", telemetrygen(4), generated),
]
