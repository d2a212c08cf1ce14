"""Container hosts that the bench makes and removes."""

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .process import Failed, output
from .settings import BENCH, Settings

PACKAGES = ["tree", "pv", "time", "ed", "dos2unix"]

# Lists and packages come from the network once; every later host gets them as one archive.
FETCH = f"""
set -e
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install --download-only -y --no-install-recommends {' '.join(PACKAGES)} \
  python3 python3-apt >/dev/null
"""
ARCHIVE = "tar -C / --dereference -czf - var/lib/apt/lists var/cache/apt/archives"
# The first question to apt builds its index, which a host in use has long had.
SETTLE = "apt-cache policy tree >/dev/null && sync"
PYTHON = "DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3 python3-apt >/dev/null 2>&1"


@dataclass
class Host:
    """A host that runs."""

    name: str
    address: str
    container: str

    def run(self, script: str, stdin: Path | None = None) -> str:
        """Runs a script of `sh` as root, not over SSH; returns what it printed."""
        command = ["docker", "exec", "-i", self.container, "sh", "-c", script]
        if stdin is None:
            return output(command)
        return output(["sh", "-c", 'in=$1; shift; exec "$@" <"$in"', "sh", str(stdin), *command])


class Fleet:
    """Fresh hosts of one inventory; used in a `with`, at the end of which they are gone."""

    def __init__(self, settings: Settings, size: int, python: bool) -> None:
        self.settings = settings
        self.size = size
        self.environment = f"bench-{size}"
        self.python = python
        self.hosts: list[Host] = []

    @property
    def key(self) -> Path:
        return self.settings.data_home / "cc-cloud/rehearsal/id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.settings.data_home / f"cc-cloud/rehearsal/{self.environment}.known_hosts"

    def cc_cloud(self, *arguments: str) -> list[str]:
        """The command line of cc-cloud for these hosts."""
        return [str(self.settings.cc_cloud), "-C", str(BENCH / "cc-cloud"), self.environment, *arguments]

    def env(self) -> dict[str, str]:
        """The environment of cc-cloud, with keys of the bench's own."""
        own = {"XDG_DATA_HOME": self.settings.data_home, "CC_AGENT_BINARY": self.settings.agent, "NO_COLOR": "1"}
        return os.environ | {name: str(value) for name, value in own.items()}

    def __enter__(self) -> "Fleet":
        self.sweep()
        try:
            output(self.cc_cloud("up"), env=self.env())
            self.hosts = self.found()
            self.prepare()
        except BaseException:
            self.sweep()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.sweep()

    def sweep(self) -> None:
        """Removes all containers and networks that carry this environment's label, whoever was killed before."""
        label = f"label=cc-cloud.environment={self.environment}"
        deadline = time.monotonic() + 60
        for kind in ("container", "network"):
            find = ["docker", kind, "ls", "--quiet", "--filter", label] + (["--all"] if kind == "container" else [])
            remove = ["docker", kind, "rm"] + (["--force", "--volumes"] if kind == "container" else [])
            while found := output(find).split():
                # Another sweep may be faster; what counts is that nothing is left.
                done = subprocess.run([*remove, *found], capture_output=True, text=True)
                if done.returncode == 0:
                    continue
                if time.monotonic() > deadline:
                    raise Failed(f"the {kind}s of {self.environment} cannot be removed: {done.stderr.strip()}")
                time.sleep(0.5)

    def found(self) -> list[Host]:
        events = [json.loads(line) for line in output(self.cc_cloud("hosts", "--json"), env=self.env()).splitlines()]
        rows = next(event["rows"] for event in events if event["type"] == "table")
        hosts = [Host(name, address, f"cc-cloud-{self.environment}-{name}") for name, address, *_ in rows]
        if len(hosts) != self.size:
            raise Failed(f"{self.environment} has {len(hosts)} hosts instead of {self.size}")
        return hosts

    def prepare(self) -> None:
        """Makes hosts that need no network from here on, and Python on those that will be asked for it."""
        image = output(["docker", "image", "inspect", "--format", "{{.Id}}", "cc-cloud-host:debian-12"]).strip()
        archive = self.settings.work / f"apt-{image.removeprefix('sha256:')[:12]}.tar.gz"
        if not archive.exists():
            self.hosts[0].run(FETCH)
            partial = archive.with_suffix(".partial")
            command = ["docker", "exec", self.hosts[0].container, "sh", "-c", ARCHIVE]
            output(["sh", "-c", 'out=$1; shift; exec "$@" >"$out"', "sh", str(partial), *command])
            partial.rename(archive)
        self.each(lambda host: host.run(f"tar -C / -xzf - && {SETTLE}", archive))
        if self.python:
            self.each(lambda host: host.run(PYTHON))

    def each(self, work):
        """Does something with all hosts, side by side; the results in their order."""
        with ThreadPoolExecutor(len(self.hosts)) as pool:
            return list(pool.map(work, self.hosts))
