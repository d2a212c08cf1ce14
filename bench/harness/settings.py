"""Where the bench keeps its things, and how often it measures what."""

import os
from dataclasses import dataclass, field
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
REPOSITORY = BENCH.parent
CACHE = Path.home() / ".cache/cc-cloud"
SCALE = "scale"


def numbers(name: str, default: str) -> list[int]:
    return [int(word) for word in os.environ.get(name, default).replace(",", " ").split()]


@dataclass(frozen=True)
class Settings:
    """Everything that `bench/run` can be told, by environment variables."""

    runs: int = field(default_factory=lambda: int(os.environ.get("RUNS", "3")))
    """First and second passes of cc-cloud and of the shell script, per number of hosts."""
    slow_runs: int = field(default_factory=lambda: int(os.environ.get("SLOW_RUNS", "1")))
    """The same of Ansible and pyinfra, which take minutes."""
    sizes: list[int] = field(default_factory=lambda: numbers("HOSTS", "1 8"))
    """Numbers of hosts: 1, 8 or both."""
    scale_sizes: list[int] = field(default_factory=lambda: numbers("SCALE_HOSTS", "100 200 500"))
    """Numbers of scripted hosts."""
    tools: list[str] = field(
        default_factory=lambda: os.environ.get("TOOLS", "shell cc-cloud pyinfra ansible scale").replace(",", " ").split()
    )
    """Tools by name, and `scale`. The first is the one whose hosts the others are compared with."""
    cc_cloud: Path = field(default_factory=lambda: Path(os.environ.get("CC_CLOUD", "")))
    """The controller; built as a release when not named."""
    agent: Path = field(default_factory=lambda: Path(os.environ.get("CC_AGENT_BINARY", "")))
    """The agent; built when not named."""
    scale_hosts: Path = field(default_factory=lambda: Path(os.environ.get("CC_SCALE", "")))
    """The program of the scripted hosts; built as a release when not named."""
    work: Path = CACHE / "bench"
    """Logs, results, and a rehearsal key and host keys of the bench's own."""
    venv: Path = CACHE / "bench-venv"
    """Ansible and pyinfra."""

    @property
    def data_home(self) -> Path:
        return self.work / "data"

    @property
    def logs(self) -> Path:
        return self.work / "logs"

    named: bool = field(default_factory=lambda: any(os.environ.get(name) for name in ("CC_CLOUD", "CC_AGENT_BINARY", "CC_SCALE")))
    """Whether the caller has named something that else would have been built."""

    @property
    def compared(self) -> list[str]:
        """The tools that are measured against each other."""
        return [tool for tool in self.tools if tool != SCALE]

    @property
    def scales(self) -> bool:
        """Whether hundreds of scripted hosts are measured."""
        return SCALE in self.tools

    def runs_of(self, tool: str) -> int:
        return self.slow_runs if tool in ("ansible", "pyinfra") else self.runs
