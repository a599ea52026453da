"""Programs under measurement: started on their cores, watched through /proc, stopped."""

import os
import resource
import signal
import socket
import subprocess
import time
import urllib.request
from collections import defaultdict

TICKS = os.sysconf("SC_CLK_TCK")

START_SECONDS = 30
STOP_SECONDS = 120


class Failed(Exception):
    """A program did not do what it was started for."""


class Program:
    """A program that runs until it is stopped. What it prints goes to a log."""

    def __init__(self, command, log, cores, environment):
        self.command, self.log = command, log
        with open(log, "w") as out:
            self.process = subprocess.Popen(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_for(self, port):
        """Waits until it listens."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Failed(f"`{' '.join(map(str, self.command))}` does not listen on port {port}:\n{self.log.read_text()[-2000:]}")

    def cpu_seconds(self):
        """User and system time so far."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_mib(self):
        """The most memory that was resident at once."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def run(command, cores, seconds):
    """Runs a program to its end: what it printed, and its user and system time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"`{' '.join(map(str, command))}` did not end within {seconds} s") from None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise Failed(f"`{' '.join(map(str, command))}` failed:\n{done.stdout[-2000:]}")
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def metrics(port):
    """A metrics page: each metric's sum over its labels."""
    sums = defaultdict(float)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as page:
        for line in page.read().decode().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                sums[name.partition("{")[0]] += float(value)
    return sums
