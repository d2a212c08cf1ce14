"""What docs/benchmarks.md says of scale, from what was measured."""

from .report import table, verdict

LIMIT_SECONDS = 5.0
"""Of a deploy over `LIMIT_HOSTS` hosts that finds nothing to do."""
LIMIT_HOSTS = 200
LIMIT_MEMORY = 2_000_000
"""Bytes of the controller a host that it waits for."""
LIMIT_RATIO = 1.25
"""How much longer a host may take among the most hosts than among the fewest."""

INTRODUCTION = """## Scale

Hundreds of hosts at once: SSH servers of one other process on this machine, each with a port and a host key of its own, whose agents are
scripted: they say who they are, and that none of their {steps} steps would change anything ([`bench/scale`](../bench/scale)). Keys are
exchanged, logins signed and every step sent and answered as with real hosts; no disk and no network is waited for. The hosts share the
processors with the controller, so a part of each time is theirs. `make bench TOOLS=scale` measures this part alone.

"""


class ScaleReport:
    """Writes what was measured as Markdown."""

    def __init__(self, results: dict) -> None:
        self.results = results
        self.sizes = sorted({deploy["hosts"] for deploy in results["deploys"]})

    def deploys(self, size: int) -> list[dict]:
        return [deploy for deploy in self.results["deploys"] if deploy["hosts"] == size]

    def best(self, size: int) -> dict:
        """The run that other work on the machine has held up least."""
        return min(self.deploys(size), key=lambda deploy: deploy["seconds"])

    def idle(self, size: int) -> dict:
        return next(state for state in self.results["idle"] if state["hosts"] == size)

    def markdown(self) -> str:
        introduction = INTRODUCTION.format(steps=self.results["steps"])
        if self.results["named"]:
            introduction += "- **Not everything was built for this run**: CC_CLOUD, CC_AGENT_BINARY or CC_SCALE named what was built before.\n"
        if self.results["nice"] < 0:
            nice = str(self.results["nice"]).replace("-", "−")
            introduction += f"- **The machine was busy** with other work, and this ran with precedence over it (nice {nice}).\n"
        introduction = introduction.rstrip() + "\n\n"
        return introduction + self.bars() + self.numbers() + self.rounds() + self.versions()

    def bars(self) -> str:
        rows = []
        if LIMIT_HOSTS in self.sizes:
            seconds = self.best(LIMIT_HOSTS)["seconds"]
            bar = f"a deploy of {LIMIT_HOSTS} hosts × {self.results['steps']} steps that changes nothing takes less than {LIMIT_SECONDS:.0f} s"
            rows.append((bar, f"{seconds:.2f} s", verdict(seconds < LIMIT_SECONDS)))
        fewest, most = min(size for size in self.sizes if size > 1), max(self.sizes)
        idle = self.idle(most)["resident"] / most
        rows.append((f"less than 2 MB of the controller a host that it waits for ({most} hosts)", megabytes(idle), verdict(idle < LIMIT_MEMORY)))
        ratio = self.best(most)["seconds"] / most / (self.best(fewest)["seconds"] / fewest)
        bar = f"time is linear in hosts: one of {most} takes at most {LIMIT_RATIO} times as long as one of {fewest}"
        rows.append((bar, f"{ratio:.2f} times", verdict(ratio <= LIMIT_RATIO)))
        first, *_, last = self.results["rounds"]
        same = all(last[what] <= first[what] for what in ("descriptors", "tasks"))
        held = f"descriptors {first['descriptors']} → {last['descriptors']}, tasks {first['tasks']} → {last['tasks']}"
        rows.append((f"nothing is left of {last['round']} rounds over {last['hosts']} hosts in one process", held, verdict(same)))
        return table(("bar", "measured", ""), rows)

    def numbers(self) -> str:
        head = ("hosts", "deploy, s (load)", "best a host, ms", "processor, s", "most memory", "a host", "waiting", "a host", "descriptors")
        rows = []
        for size in self.sizes:
            best, idle = self.best(size), self.idle(size)
            runs = ", ".join(f"{deploy['seconds']:.2f} ({deploy['load']:.1f})" for deploy in self.deploys(size))
            memory = [best["peak"], best["peak"] / size, idle["resident"], idle["resident"] / size]
            per_host = f"{best['seconds'] / size * 1000:.1f}"
            rows.append((str(size), runs, per_host, f"{best['processor']:.2f}", *map(megabytes, memory), str(idle["descriptors"])))
        text = "Every run is listed, with the load of the machine when it began; the rest of a line is of the best run. The processor time is "
        text += "that of the controller and of the `ssh -G` that it asks for the user's settings, without the hosts'. Waiting is a controller "
        text += "that has asked all hosts something and heard of none yet.\n\n"
        return table(head, rows) + text

    def rounds(self) -> str:
        rounds = self.results["rounds"]
        rows = [(str(r["round"]), f"{r['seconds']:.2f}", str(r["descriptors"]), str(r["tasks"]), megabytes(r["resident"])) for r in rounds]
        text = f"One process that connects to {rounds[0]['hosts']} hosts, observes all steps and takes its leave, again and again; what it "
        text += "holds after each round:\n\n"
        return text + table(("round", "s", "descriptors", "tasks", "memory"), rows)

    def versions(self) -> str:
        return table(("what", "version"), list(self.results["versions"].items()))


def megabytes(count: float) -> str:
    return f"{count / 1e6:.2f} MB" if count < 10e6 else f"{count / 1e6:.0f} MB"
