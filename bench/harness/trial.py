"""One tool on fresh hosts: a first pass, a second one, and what it has left."""

from dataclasses import asdict, dataclass

from .fleet import Fleet, Host
from .process import Failed
from .settings import Settings
from .snapshot import Before, Left
from .tools import Pass, Tool


@dataclass
class Trial:
    """What was measured."""

    tool: str
    size: int
    run: int
    first: Pass
    second: Pass
    paths: int
    """Paths on one host whose owner, mode, kind or content were compared."""

    def record(self) -> dict:
        return asdict(self)


class Trials:
    """Runs trials, and compares the hosts of each with those of the first of its size."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.reference: dict[tuple[int, str], tuple[str, Left]] = {}

    def run(self, tool: Tool, size: int, run: int) -> Trial:
        log = self.settings.logs / f"{tool.name}-{size}-{run}"
        with Fleet(self.settings, size, tool.python) as fleet:
            tool.configure(fleet)
            before = fleet.each(Before.of)
            try:
                first = tool.converge(fleet, log.with_name(log.name + "-first.log"))
                second = tool.converge(fleet, log.with_name(log.name + "-second.log"))
            finally:
                tool.release(fleet)
            if first.changed == 0 or second.changed != 0:
                raise Failed(f"{tool.name} changed {first.changed} and then {second.changed} things: see {log}-second.log")
            fresh = {host.name: state for host, state in zip(fleet.hosts, before)}
            left = fleet.each(lambda host: Left.on(host, fresh[host.name]))
            for host, found in zip(fleet.hosts, left):
                self.compare(tool.name, size, host.name, found)
            if len(self.reference) == len(fleet.hosts):
                self.prove(fleet.hosts[0], fresh[fleet.hosts[0].name], left[0])
        return Trial(tool.name, size, run, first, second, len(left[0].paths))

    def compare(self, tool: str, size: int, host: str, left: Left) -> None:
        problems = left.problems()
        first, reference = self.reference.setdefault((size, host), (tool, left))
        problems += [f"{first} | {tool}: {difference}" for difference in reference.differences(left)]
        if problems:
            shown = "\n  ".join(problems[:30])
            raise Failed(f"host {host} after {tool} is not what it should be ({len(problems)} differences):\n  {shown}")

    @staticmethod
    def prove(host: Host, before: Before, left: Left) -> None:
        """Proves that the comparison finds a mode, a content and a unit that differ."""
        host.run("chmod 0600 /etc/bench/app0.conf; echo >>/etc/bench/app1.conf; systemctl stop bench-0")
        found = [difference.partition(":")[0] for difference in left.differences(Left.on(host, before))]
        if found != ["/etc/bench/app0.conf", "/etc/bench/app1.conf", "units"]:
            raise Failed(f"the comparison of hosts does not work: of three planted differences it found {found}")
