"""The receivers that are compared. To add one, add a line to RECEIVERS."""

import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Tuple

from .build import CACHE, PEERS
from .process import Program, free_port


@dataclass(frozen=True)
class Receiver:
    """A way of running authstitch or the Collector."""

    name: str
    does: str
    # The count on its metrics page that says how far it is with what it does, and for how many spans one stands.
    counts: str
    spans: int
    # Options of `authstitch serve`, or the Collector's pipeline.
    options: Tuple[str, ...] = ()
    pipeline: str = ""
    # When authstitch acknowledges.
    durability: str = "fsync"


RECEIVERS = [
    Receiver(
        "authstitch --no-store",
        "syncs to its journal, stitches and judges",
        "authstitch_journeys_total",
        5,
        options=("--no-store",),
    ),
    Receiver(
        "authstitch --no-store, in memory",
        "stitches and judges",
        "authstitch_journeys_total",
        5,
        options=("--no-store",),
        durability="none",
    ),
    Receiver(
        "authstitch, store on",
        "syncs to its journal, stitches, judges, keeps every journey in SQLite",
        "authstitch_stored_total",
        5,
    ),
    Receiver("Collector: nop", "receives and drops", "otelcol_receiver_accepted_spans", 1, pipeline="nop"),
    Receiver("Collector: otlp", "passes on over OTLP", "otelcol_exporter_sent_spans", 1, pipeline="pass_on"),
    Receiver(
        "Collector: tail_sampling",
        "gathers traces, decides to keep each, drops",
        "otelcol_processor_tail_sampling_global_count_traces_sampled",
        5,
        pipeline="tail_sampling",
    ),
    Receiver(
        "Collector: groupbytrace",
        "gathers traces, drops",
        "otelcol_processor_groupbytrace_traces_released",
        5,
        pipeline="groupbytrace",
    ),
]


@dataclass(frozen=True)
class Running:
    """A receiver that takes spans."""

    program: Program
    grpc: int
    metrics: int


@contextmanager
def started(receiver, tools, cores, other_cores, hold_seconds):
    """Runs a receiver, and for one that passes on a sink that is not measured."""
    with ExitStack() as stack:
        environment = {"PEER_HOLD": str(hold_seconds)}
        if receiver.pipeline == "pass_on":
            sink = stack.enter_context(collector("nop", tools, other_cores, environment))
            environment["PEER_SINK"] = f"127.0.0.1:{sink.grpc}"
        if receiver.pipeline:
            yield stack.enter_context(collector(receiver.pipeline, tools, cores, environment))
        else:
            environment["PEER_DURABILITY"] = receiver.durability
            yield stack.enter_context(authstitch(receiver.options, tools, cores, environment))


@contextmanager
def authstitch(options, tools, cores, environment):
    grpc, web = free_port(), free_port()
    # Beside the build and not under /tmp, which is no disk on many machines.
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        command = [tools.authstitch, "serve", "--config", PEERS / "authstitch/config.yaml", "--data-dir", folder, *options]
        command += ["--grpc", f"127.0.0.1:{grpc}", "--http", "127.0.0.1:0", "--web", f"127.0.0.1:{web}"]
        with Program(command, CACHE / "authstitch.log", cores, environment) as program:
            program.wait_for(grpc)
            yield Running(program, grpc, web)


@contextmanager
def collector(pipeline, tools, cores, environment):
    grpc, metrics = free_port(), free_port()
    environment = {**environment, "PEER_GRPC": f"127.0.0.1:{grpc}", "PEER_METRICS_PORT": str(metrics)}
    files = [PEERS / f"collector/{name}.yaml" for name in ("base", pipeline)]
    command = [tools.collector, *(part for file in files for part in ("--config", file))]
    with Program(command, CACHE / f"collector-{pipeline}.log", cores, environment) as program:
        program.wait_for(grpc)
        yield Running(program, grpc, metrics)
