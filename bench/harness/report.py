"""docs/benchmarks.md, from what was measured."""

from statistics import median

TITLES = {"shell": "shell script", "cc-cloud": "cc-cloud", "ansible": "Ansible", "pyinfra": "pyinfra"}

INTRODUCTION = """# Benchmarks

Written by `make bench`; the numbers below are from one sitting on one machine. Do not read a speed into them that they do not have:

"""

CAVEATS = [
    "**The hosts are containers on the machine that runs the tools.** The network has no delay, and hosts and tools share its processors. Over a "
    "real network, tools that need more round trips fall behind further; with hosts of their own, work on hosts weighs less.",
    "**Nothing is downloaded in the measured time.** Package lists and the five packages are on the hosts beforehand, for all tools alike.",
    "**Python is on Ansible's hosts before** (python3 and python3-apt, installed outside of the measured time). The other tools' hosts have none.",
    "**In Ansible's favour:** no facts are gathered, all packages are one task, nothing is escalated with sudo, and the second pass uses the SSH "
    "connections that the first has left open. All tools log in as root.",
    "**The floor** is a shell script that one would write by hand for exactly this, with one OpenSSH session a host and all hosts side by side. It "
    "compares before it writes; it shows no plan, keeps no journal and does not sync the files that it writes, all of which cc-cloud does.",
    "**cc-cloud plans and applies in one command** (`deploy --yes`): the second pass is connect, observe all, show that there is nothing to do. The "
    "first pass sends the agent too.",
    "**Round trips** are those in the agent's channel. The handshake of SSH comes on top; it is the same for every tool that opens one session.",
    "**Few runs.** The machine was not isolated; Ansible and pyinfra ran {slow} times a cell, the others {fast} times. Every run is listed.",
]


class Report:
    """Writes what was measured as Markdown."""

    def __init__(self, results: dict) -> None:
        self.results = results
        self.trials = results["trials"]
        self.sizes = sorted({trial["size"] for trial in self.trials})
        self.tools = [tool for tool in TITLES if any(trial["tool"] == tool for trial in self.trials)]

    def times(self, tool: str, size: int, which: str) -> list[float]:
        found = [trial for trial in self.trials if (trial["tool"], trial["size"]) == (tool, size)]
        return [trial[which]["seconds"] for trial in found]

    def median(self, tool: str, size: int, which: str) -> float | None:
        times = self.times(tool, size, which)
        return median(times) if times else None

    def ratio(self, tool: str, size: int, which: str) -> float | None:
        """How many times as long as cc-cloud a tool takes."""
        theirs, ours = self.median(tool, size, which), self.median("cc-cloud", size, which)
        return theirs / ours if theirs and ours else None

    def markdown(self) -> str:
        parts = [INTRODUCTION, self.caveats(), "## Bars\n\n", self.bars(), "## Time\n\n"]
        parts += [self.medians(), "## Every run\n\n", self.runs(), "## Traffic and sizes\n\n", self.costs()]
        parts += ["## What is built\n\n", self.work(), "## With what\n\n", self.versions()]
        return "".join(parts).rstrip() + "\n"

    def caveats(self) -> str:
        said = list(CAVEATS)
        if self.results["load"] > 0.5:
            said.insert(0, f"**The machine was busy** (load {self.results['load']:.1f} when this began): these times are noise.")
        if self.results["named"]:
            said.insert(0, "**cc-cloud and its agent were not built for this run** but named by CC_CLOUD and CC_AGENT_BINARY.")
        text = "".join(f"- {caveat}\n" for caveat in said)
        return text.format(slow=self.results["slow_runs"], fast=self.results["runs"]).replace(" 1 times", " once") + "\n"

    def bars(self) -> str:
        rows = []
        for size in self.sizes:
            on = f"{size} host{'s' if size > 1 else ''}"
            for tool, least in (("ansible", 100), ("pyinfra", 20)):
                ratio = self.ratio(tool, size, "second")
                rows.append((f"second pass, {on}: {least} times as fast as {TITLES[tool]}", *times_as_fast(ratio, least)))
            ansible, floor = self.ratio("ansible", size, "first"), self.ratio("shell", size, "first")
            rows.append((f"first pass, {on}: 20 times as fast as Ansible, or within 1.5 of the floor", *first_pass(ansible, floor)))
        budget = self.results["budget"]
        seconds = budget["compile_seconds"]
        measured = "not measured" if seconds is None else f"{seconds * 1000:.0f} ms"
        rows.append(("200 hosts × 300 steps compile in less than 1 s", measured, verdict(None if seconds is None else seconds < 1)))
        rows.append(("the agent is at most 2.5 MB", f"{budget['agent'] / 1e6:.2f} MB", verdict(budget["agent"] <= 2_500_000)))
        packed = budget["agent_packed"]
        rows.append(("at most 1 MB of it is sent (gzip)", f"{packed / 1e6:.2f} MB", verdict(packed <= 1_000_000)))
        trips = [trial["second"]["round_trips"] for trial in self.trials if trial["tool"] == "cc-cloud"]
        if trips:
            rows.append(("at most 10 round trips when nothing changes", str(max(trips)), verdict(max(trips) <= 10)))
        return table(("bar", "measured", ""), rows)

    def medians(self) -> str:
        text = "Median seconds, and in brackets how many times as long as cc-cloud.\n\n"
        head = ["tool", *(f"{which} pass, {size}" for size in self.sizes for which in ("first", "second"))]
        rows = []
        for tool in self.tools:
            cells = [self.cell(tool, size, which) for size in self.sizes for which in ("first", "second")]
            rows.append([TITLES[tool], *cells])
        return text + table([title + (" hosts" if title.endswith("8") else " host" if title.endswith("1") else "") for title in head], rows)

    def cell(self, tool: str, size: int, which: str) -> str:
        seconds, ratio = self.median(tool, size, which), self.ratio(tool, size, which)
        if seconds is None:
            return "–"
        return f"{seconds:.2f}" + ("" if ratio is None or tool == "cc-cloud" else f" ({ratio:.3g})")

    def runs(self) -> str:
        rows = []
        for size in self.sizes:
            for tool in self.tools:
                cells = [", ".join(f"{seconds:.2f}" for seconds in self.times(tool, size, which)) for which in ("first", "second")]
                if any(cells):
                    rows.append((str(size), TITLES[tool], *cells))
        paths = max(trial["paths"] for trial in self.trials)
        text = "Each run began on fresh hosts. After the second pass, which had to report no change, each host was compared with the host of the "
        text += f"same name that the first run had left: all {paths} paths that were new or different since the host was fresh (kind, mode, "
        text += "owner, link target, SHA-256), packages, users and states of units. They were the same, or this page would not have been written; "
        text += "that the comparison finds a difference was proved with planted ones. Left out: logs, caches, locks, the state of systemd and "
        text += "dpkg, and each tool's own folder on the host.\n\n"
        return table(("hosts", "tool", "first pass, s", "second pass, s"), rows) + text

    def costs(self) -> str:
        rows = []
        for size in self.sizes:
            found = [trial for trial in self.trials if (trial["tool"], trial["size"]) == ("cc-cloud", size)]
            for which in ("first", "second"):
                for trial in found[-1:]:
                    spent = trial[which]
                    rows.append((str(size), which, str(spent["round_trips"]), kib(spent["sent"]), kib(spent["received"])))
        text = table(("hosts", "pass", "round trips", "KiB to a host", "KiB from a host"), rows)
        said = self.results["budget"]["compile"]
        return text + (f"The compiler on 200 hosts with 300 steps each:\n\n```text\n{said}\n```\n\n" if said else "")

    def work(self) -> str:
        return (
            "100 resources on each host: 5 packages, 10 users, 20 directories, 40 templates (five are unit files), 10 lines in a file, 10 guarded "
            "commands and 5 services that are enabled and started. The three tools that have templates render the same files. The definitions are "
            "in [`bench/`](../bench): `cc-cloud/roles/bench/role.yml`, `ansible/site.yml`, `pyinfra/deploy.py`, `shell/site.sh`.\n\n"
            "`make bench` runs all of it; `RUNS=3 SLOW_RUNS=1 HOSTS='1 8' TOOLS='shell cc-cloud pyinfra ansible scale'` are its defaults, and "
            f"`make bench HOSTS=1` is the short one. This took {self.results['minutes']:.0f} minutes.\n\n"
        )

    def versions(self) -> str:
        rows = [(name, said) for name, said in self.results["versions"].items()]
        return table(("what", "version"), rows)


def verdict(met: bool | None) -> str:
    return {None: "–", True: "met", False: "**not met**"}[met]


def times_as_fast(ratio: float | None, least: float) -> tuple[str, str]:
    return ("not measured", verdict(None)) if ratio is None else (f"{ratio:.0f} times", verdict(ratio >= least))


def first_pass(ansible: float | None, floor: float | None) -> tuple[str, str]:
    if ansible is None or floor is None:
        return "not measured", verdict(None)
    return f"{ansible:.1f} times, {1 / floor:.2f} of the floor", verdict(ansible >= 20 or 1 / floor <= 1.5)


def kib(count: int) -> str:
    return f"{count / 1024:.1f}"


def table(head, rows) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"
