"""Commands that the bench runs."""

import subprocess
import time
from pathlib import Path


class Failed(Exception):
    """A command failed, or did something else than it should; the message says which and where its output is."""


def timed(command: list[str], log: Path, stdin: Path | None = None, env: dict[str, str] | None = None) -> float:
    """Runs a command with all its output in a file and returns the seconds that it took."""
    with log.open("wb") as output, open(stdin or "/dev/null", "rb") as given:
        start = time.monotonic()
        code = subprocess.run(command, stdin=given, stdout=output, stderr=subprocess.STDOUT, env=env).returncode
        seconds = time.monotonic() - start
    if code != 0:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise Failed(f"`{' '.join(command[:6])} …` ended with {code}; the last lines of {log}:\n{last}")
    return seconds


def output(command: list[str], stdin: str | None = None, env: dict[str, str] | None = None) -> str:
    """Runs a command and returns what it printed on standard output."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise Failed(f"`{' '.join(command[:8])}` ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout
