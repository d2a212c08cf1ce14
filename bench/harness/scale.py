"""cc-cloud against hundreds of hosts: SSH servers of another process on this machine, whose scripted agents have nothing to do."""

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Callable, Iterator

from .process import Failed
from .settings import BENCH, Settings

STEPS = 300
"""Steps on each host, as bench/scale/repository has them."""
ROUNDS = 10
"""How often one process comes back to all hosts."""


@dataclass
class Deploy:
    """One `deploy` that finds nothing to do."""

    hosts: int
    seconds: float
    """Wall clock of the whole process."""
    processor: float
    """Seconds of processor time of the process and the `ssh -G` that it asks; that of the hosts is not in it."""
    peak: int
    """The most memory that it had, in bytes."""
    load: float
    """Load average of the machine when it began."""


@dataclass
class Idle:
    """A controller that waits for all its hosts at once."""

    hosts: int
    resident: int
    """Memory that it has, in bytes."""
    descriptors: int


class Hosts:
    """The hosts of a process of their own, and the repository that describes them."""

    def __init__(self, settings: Settings, count: int) -> None:
        self.settings = settings
        self.count = count
        self.repository = settings.work / f"scale-{count}"
        self.log = settings.logs / f"scale-{count}.log"

    def __enter__(self) -> "Hosts":
        shutil.rmtree(self.repository, ignore_errors=True)
        shutil.copytree(BENCH / "scale/repository", self.repository)
        command = [str(self.settings.scale_hosts), "hosts", str(self.count), str(self.repository)]
        with self.log.with_suffix(".hosts.log").open("wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.expect("listening")
        return self

    def __exit__(self, *_: object) -> None:
        # They end with their standard input.
        self.process.communicate()

    def expect(self, line: str) -> None:
        """Reads what the hosts say up to this line."""
        while said := self.process.stdout.readline():
            if said.strip() == line:
                return
        raise Failed(f"the {self.count} hosts ended before they said `{line}`: see {self.log.with_suffix('.hosts.log')}")

    def release(self) -> None:
        """Lets the agents go on that wait."""
        self.process.stdin.write("release\n")
        self.process.stdin.flush()

    def env(self) -> dict[str, str]:
        """Without the user's ssh-agent, so that the same is done on every machine."""
        env = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
        return env | {"CC_AGENT_BINARY": str(self.settings.agent), "NO_COLOR": "1"}

    @contextmanager
    def controller(self, *arguments: str) -> Iterator[subprocess.Popen]:
        """cc-cloud at work, with all its output in the log; it must end well."""
        command = [str(self.settings.cc_cloud), "-C", str(self.repository), "--no-input", "scale", *arguments]
        with self.log.open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self.env())
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            process.wait()
        if process.returncode != 0:
            last = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
            raise Failed(f"cc-cloud {arguments[0]} on {self.count} hosts ended with {process.returncode}: {last}")

    def deploy(self) -> Deploy:
        """A deploy that finds nothing to do."""
        load, begun = os.getloadavg()[0], time.monotonic()
        with self.controller("deploy", "--yes") as process:
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.monotonic() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
        unchanged = f"{self.count * STEPS} unchanged on {self.count} host"
        if unchanged not in self.log.read_text():
            raise Failed(f"the deploy does not say `{unchanged}`: see {self.log}")
        return Deploy(self.count, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, load)

    def idle(self) -> Idle:
        """A controller whose every host is asked something and none has answered yet."""
        with self.controller("exec", "all", "--parallel", str(self.count), "--", "hold") as process:
            self.expect(f"held {self.count}")
            status = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
            descriptors = len(os.listdir(f"/proc/{process.pid}/fd"))
            self.release()
        return Idle(self.count, int(status["VmRSS"].split()[0]) * 1024, descriptors)

    def rounds(self) -> list[dict]:
        """One process that comes to all hosts again and again; fails when something is left of a round."""
        command = [str(self.settings.scale_hosts), "rounds", str(ROUNDS), str(self.repository)]
        done = subprocess.run(command, capture_output=True, text=True, env=self.env())
        if done.returncode != 0:
            raise Failed(f"{' '.join(command[:3])}: {done.stderr.strip()}\n{done.stdout}")
        return [json.loads(line) for line in done.stdout.splitlines()]


def niceness() -> int:
    """What this process and its children are worth against others; with autogroups, that of the group counts."""
    group = Path("/proc/self/autogroup")
    return int(group.read_text().split()[-1]) if group.exists() else os.nice(0)


def measure(settings: Settings, say: Callable[[str], None]) -> dict:
    """Deploys that find nothing to do, controllers that wait, and one that comes back, by number of hosts."""
    deploys, idle, rounds = [], [], []
    for count in (1, *settings.scale_sizes):
        with Hosts(settings, count) as hosts:
            for _ in range(settings.runs):
                deploys.append(hosts.deploy())
                say(f"{count} scripted host(s): {deploys[-1].seconds:.2f} s, {deploys[-1].peak / 1e6:.0f} MB")
            idle.append(hosts.idle())
            say(f"{count} scripted host(s) that are waited for: {idle[-1].resident / 1e6:.0f} MB, {idle[-1].descriptors} descriptors")
            if count == max(settings.scale_sizes):
                rounds = hosts.rounds()
                say(f"{ROUNDS} rounds over {count} hosts in one process: nothing is left of them")
    return {
        "steps": STEPS,
        "nice": niceness(),
        "named": settings.named,
        "deploys": [asdict(deploy) for deploy in deploys],
        "idle": [asdict(state) for state in idle],
        "rounds": rounds,
    }
