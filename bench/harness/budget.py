"""Costs that are not the time of a deploy."""

import gzip
import os
import re
from dataclasses import dataclass

from .process import Failed, output
from .settings import REPOSITORY, Settings


@dataclass
class Budget:
    """Costs that are not the time of a deploy."""

    agent: int
    """Bytes of the agent."""
    agent_packed: int
    """Bytes of the agent as it is sent."""
    compile: str | None
    """What the compile of 200 hosts with 300 steps each printed; not measured when the caller named the controller."""
    compile_seconds: float | None

    @classmethod
    def of(cls, settings: Settings, build: bool) -> "Budget":
        agent = settings.agent.read_bytes()
        packed = len(gzip.compress(agent, 9))
        said, seconds = compile_speed() if build else (None, None)
        return cls(len(agent), packed, said, seconds)


def compile_speed() -> tuple[str, float]:
    command = ["cargo", "run", "--quiet", "--release", "--locked", "-p", "cc-plan", "--example", "compile_speed"]
    said = output(["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(REPOSITORY), *command], env=dict(os.environ)).strip()
    return said, seconds_of(said)


def seconds_of(said: str) -> float:
    """The compile time in the example's words, in seconds."""
    line = next((line for line in said.splitlines() if "compile" in line), said)
    found = re.search(r"([\d.]+) ?(ms|s)\b", line)
    if not found:
        raise Failed(f"the example compile_speed says no time: {said}")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)
