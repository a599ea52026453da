"""What stands beside the figures: the machine and the versions."""

import os
import platform
import re
import subprocess

from .build import PEERS, ROOT, collector_version


def machine():
    def first(file, pattern):
        with open(file) as text:
            found = re.search(pattern, text.read(), re.MULTILINE)
        return found[1].strip() if found else "unknown"

    return {
        "processor": first("/proc/cpuinfo", r"^model name\s*: (.*)$"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(first("/proc/meminfo", r"^MemTotal: *(\d+)")) / 2**20, 1),
        "kernel": platform.release(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions(tools):
    def told(*command):
        done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip() or "unknown"

    generator = re.search(r"cmd/telemetrygen v(\S+)", (PEERS / "telemetrygen/go.mod").read_text())[1]
    return {
        "authstitch": told(tools.authstitch, "--version").removeprefix("authstitch "),
        "program": str(tools.authstitch),
        "revision": told("git", "describe", "--always", "--dirty"),
        "collector": collector_version(),
        "telemetrygen": generator,
        "go": told(tools.go, "env", "GOVERSION"),
        "rust": told("rustc", "--version").split()[1],
    }
