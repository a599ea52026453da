"""Builds what is measured, once: into target/peers, under a name that changes with what it is built from."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).resolve().parent.parent
ROOT = PEERS.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
CACHE = TARGET / "peers"


class Missing(Exception):
    """Something is needed that is not here; the text says how to get it."""


@dataclass(frozen=True)
class Tools:
    """The programs of a run."""

    authstitch: Path
    sender: Path
    collector: Path
    telemetrygen: Path
    go: str


def tools(authstitch):
    """Every program, built where it is missing; another authstitch may be named."""
    go = program("go", "GO", "install Go 1.25 or newer from https://go.dev/dl")
    cargo = program("cargo", "CARGO", "install Rust from https://rustup.rs")
    CACHE.mkdir(parents=True, exist_ok=True)
    built = ["-p", "authstitch-benches", "--bin", "peer_sender"]
    if authstitch is None:
        built += ["-p", "authstitch", "--bin", "authstitch"]
    elif not authstitch.is_file():
        raise Missing(f"there is no program {authstitch}; leave --authstitch away to have it built")
    do([cargo, "build", "--release", "--quiet", *built], ROOT)
    return Tools(
        authstitch=(authstitch or TARGET / "release/authstitch").resolve(),
        sender=TARGET / "release/peer_sender",
        collector=collector(go),
        telemetrygen=telemetrygen(go),
        go=go,
    )


def program(name, variable, how):
    """A program that the variable names, or that is on PATH."""
    named = os.environ.get(variable, name)
    found = shutil.which(named)
    if not found:
        raise Missing(f"`{named}` is not found: {how}, and put it on PATH or name it by {variable}=/path/to/{name}")
    return found


def collector_version():
    return re.search(r"^  version: (\S+)$", (PEERS / "collector/builder.yaml").read_text(), re.MULTILINE)[1]


def collector(go):
    """The Collector, by its own builder in the same version. Some three minutes."""
    recipe = PEERS / "collector/builder.yaml"
    place = CACHE / f"collector-{digest(recipe)}"
    made = place / "otelcol/otelcol-peer"
    if not made.exists():
        place.mkdir(exist_ok=True)
        builder = f"go.opentelemetry.io/collector/cmd/builder@v{collector_version()}"
        do([go, "run", builder, "--config", str(recipe)], place, {"PATH": with_folder_of(go)})
    return made


def telemetrygen(go):
    """telemetrygen cannot be installed by its name, so a module of our own requires it."""
    module = PEERS / "telemetrygen"
    made = CACHE / f"telemetrygen-{digest(module / 'go.sum')}"
    if not made.exists():
        package = "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen"
        do([go, "build", "-o", str(made), package], module)
    return made


def with_folder_of(go):
    """The Collector's builder looks for `go` on PATH."""
    return f"{Path(go).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def digest(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def do(command, folder, environment=None):
    """Runs a build; its output is shown only if it fails."""
    print(f"building: {' '.join(command)}", file=sys.stderr)
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        lines = "\n".join(done.stdout.splitlines()[-30:])
        raise Missing(f"`{' '.join(command)}` failed in {folder}; mend what it says, and run again:\n{lines}")
