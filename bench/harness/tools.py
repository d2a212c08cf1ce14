"""The four tools, each of which can make a fleet what bench/cc-cloud/roles/bench says."""

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from .fleet import Fleet
from .process import Failed, output, timed
from .settings import BENCH, SCALE, Settings


@dataclass
class Pass:
    """One timed call of a tool."""

    seconds: float
    changed: int
    """What the tool says that it changed, over all hosts."""
    round_trips: int | None = None
    """The most that one host took, where the tool says so."""
    sent: int | None = None
    """Bytes to the host that got most."""
    received: int | None = None
    """Bytes from the host that sent most."""


@dataclass
class Tool:
    """A tool; subclasses say how it is called and how it says what it changed."""

    settings: Settings
    name: str = ""
    python: bool = False
    """Whether its hosts need Python."""
    work: Path = field(init=False)

    def __post_init__(self) -> None:
        self.work = self.settings.work / self.name
        self.work.mkdir(parents=True, exist_ok=True)

    def version(self) -> str:
        raise NotImplementedError

    def configure(self, fleet: Fleet) -> None:
        """Writes what the tool has to know of the hosts; not timed."""

    def converge(self, fleet: Fleet, log: Path) -> Pass:
        """Makes the hosts what they should be."""
        raise NotImplementedError

    def release(self, fleet: Fleet) -> None:
        """Ends what the tool leaves running on this machine; not timed."""


class Shell(Tool):
    """The floor: a script over one OpenSSH session a host, all hosts side by side."""

    def version(self) -> str:
        return output(["sh", "-c", "ssh -V 2>&1"]).split(",")[0].strip()

    def converge(self, fleet: Fleet, log: Path) -> Pass:
        options = ["-F", "none", "-i", str(fleet.key), "-o", f"UserKnownHostsFile={fleet.known_hosts}", "-o", "BatchMode=yes"]
        # One process starts all sessions and waits for them, so that Python's threads are not measured.
        script = "pids=; while [ $# -gt 0 ]; do "
        script += f"ssh {' '.join(options)} root@$2 sh -s $1 <{BENCH}/shell/site.sh & pids=\"$pids $!\"; shift 2; done; "
        script += "for pid in $pids; do wait $pid || exit; done"
        hosts = [word for host in fleet.hosts for word in (host.name, host.address)]
        seconds = timed(["sh", "-c", script, "sh", *hosts], log)
        return Pass(seconds, sum(map(int, re.findall(r"^changed=(\d+)$", log.read_text(), re.MULTILINE))))


class CcCloud(Tool):
    """cc-cloud, as a user calls it."""

    def version(self) -> str:
        return output([str(self.settings.cc_cloud), "--version"]).strip()

    def converge(self, fleet: Fleet, log: Path) -> Pass:
        events = log.with_suffix(".ndjson")
        seconds = timed(fleet.cc_cloud("deploy", "--yes", "--json-into", str(events)), log, env=fleet.env())
        said = {event["type"]: event for event in map(json.loads, events.read_text().splitlines())}
        changed = sum(host["changed"] for host in said["summary"]["hosts"]) if "summary" in said else 0
        traffic = said["traffic"]["hosts"]
        most = {key: max(host[key] for host in traffic) for key in ("round_trips", "bytes_sent", "bytes_received")}
        return Pass(seconds, changed, most["round_trips"], most["bytes_sent"], most["bytes_received"])


class Ansible(Tool):
    """ansible-core with pipelining and ten forks; OpenSSH keeps its connections between tasks and passes."""

    @property
    def program(self) -> str:
        return str(self.settings.venv / "bin/ansible-playbook")

    def version(self) -> str:
        return re.sub(r".*\[core (.*)\].*", r"ansible-core \1", output([self.program, "--version"]).splitlines()[0])

    def configure(self, fleet: Fleet) -> None:
        ssh = f"-F none -o UserKnownHostsFile={fleet.known_hosts} -o StrictHostKeyChecking=yes"
        hosts = {host.name: {"ansible_host": host.address} for host in fleet.hosts}
        variables = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(fleet.key),
            "ansible_ssh_common_args": ssh,
            "ansible_control_path_dir": str(self.work / "control"),
        }
        inventory = {"bench": {"hosts": hosts, "vars": variables}}
        (self.work / "inventory.json").write_text(json.dumps(inventory, indent=2))

    def converge(self, fleet: Fleet, log: Path) -> Pass:
        own = {"ANSIBLE_CONFIG": str(BENCH / "ansible/ansible.cfg"), "ANSIBLE_HOME": str(self.work), "ANSIBLE_NOCOLOR": "1"}
        command = [self.program, "--inventory", str(self.work / "inventory.json"), str(BENCH / "ansible/site.yml")]
        seconds = timed(command, log, env=os.environ | own)
        # The recap counts tasks; a task that loops has one line for each thing that it changed.
        return Pass(seconds, len(re.findall(r"^changed: \[", log.read_text(), re.MULTILINE)))

    def release(self, fleet: Fleet) -> None:
        for socket in (self.work / "control").glob("*"):
            output(["sh", "-c", 'ssh -F none -O exit -o ControlPath="$1" host 2>/dev/null || rm -f "$1"', "sh", str(socket)])


class Pyinfra(Tool):
    """pyinfra."""

    @property
    def program(self) -> str:
        return str(self.settings.venv / "bin/pyinfra")

    def version(self) -> str:
        return re.sub(r"pyinfra: v?", "pyinfra ", output([self.program, "--version"]).strip())

    def configure(self, fleet: Fleet) -> None:
        shared = {
            "ssh_user": "root",
            "ssh_key": str(fleet.key),
            "ssh_known_hosts_file": str(fleet.known_hosts),
            "ssh_strict_host_key_checking": "yes",
            "ssh_allow_agent": False,
            "ssh_look_for_keys": False,
        }
        hosts = [(host.name, {"ssh_hostname": host.address}) for host in fleet.hosts]
        (self.work / "inventory.py").write_text(f"hosts = ({hosts!r}, {shared!r})\n")

    def converge(self, fleet: Fleet, log: Path) -> Pass:
        seconds = timed([self.program, "--yes", str(self.work / "inventory.py"), str(BENCH / "pyinfra/deploy.py")], log)
        text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text())
        return Pass(seconds, len(re.findall(r"^ *\[\S+\] .*\bSuccess\b", text, re.MULTILINE)))


def tools(settings: Settings) -> list[Tool]:
    """The tools that were asked for, in that order."""
    known = {
        "shell": lambda: Shell(settings, "shell"),
        "cc-cloud": lambda: CcCloud(settings, "cc-cloud"),
        "ansible": lambda: Ansible(settings, "ansible", python=True),
        "pyinfra": lambda: Pyinfra(settings, "pyinfra"),
    }
    unknown = [name for name in settings.compared if name not in known]
    if unknown:
        raise Failed(f"there is no tool {', '.join(unknown)}; there are {', '.join(known)}, {SCALE}")
    return [known[name]() for name in settings.compared]
