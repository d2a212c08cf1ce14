"""What a tool has left on a host, to be compared with what another has left."""

import re
from dataclasses import dataclass

from .fleet import PACKAGES, Host

# What differs without being part of the environment: logs, caches, locks, backups of account files, the state of systemd and of package
# management (packages are compared by name and version), and each tool's own folder on the host.
IGNORED = re.compile(
    r"^/var/(log|cache|tmp|backups)(/|$)|^/var/lib/(apt|systemd|cc-cloud)(/|$)"
    r"|^/var/lib/dpkg(/(status|status-old|lock|lock-frontend|triggers/.*|updates)?)?$"
    r"|^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$|^/etc/\.pwd\.lock$"
    r"|^/root/\.(ansible|cache|ssh)(/|$)|/__pycache__(/|$)"
)

LIST = r"find / -xdev -printf '%p\t%y %#m %u:%g %l\n'"
PACKAGE_LIST = r"dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n'"
MARK = "touch /run/bench-mark"
DIGESTS = "find / -xdev -type f -cnewer /run/bench-mark -exec sha256sum {} +"
USERS = "for n in 0 1 2 3 4 5 6 7 8 9; do getent passwd bench$n; id bench$n; done 2>&1"
UNITS = "systemctl show --property=Id,LoadState,ActiveState,SubState,UnitFileState,FragmentPath,NeedDaemonReload bench-0 bench-1 bench-2 bench-3 bench-4"


@dataclass
class Before:
    """A fresh host."""

    paths: dict[str, str]
    packages: set[str]

    @classmethod
    def of(cls, host: Host) -> "Before":
        paths, packages = listing(host), set(host.run(PACKAGE_LIST).splitlines())
        host.run(MARK)
        return cls(paths, packages)


def listing(host: Host) -> dict[str, str]:
    """Type, mode, owner and link target of everything on the host's own file system."""
    lines = (line.partition("\t") for line in host.run(LIST).splitlines())
    return {path: attributes for path, _, attributes in lines if not IGNORED.search(path)}


@dataclass
class Left:
    """What differs from the fresh host: attributes and digest by path; packages; users; units."""

    paths: dict[str, str]
    packages: list[str]
    users: str
    units: str

    @classmethod
    def on(cls, host: Host, before: Before) -> "Left":
        after = listing(host)
        paths = {path: attributes for path, attributes in after.items() if before.paths.get(path) != attributes}
        paths |= {path: "gone" for path in before.paths.keys() - after.keys()}
        for line in host.run(DIGESTS).splitlines():
            digest, _, path = line.partition("  ")
            if path in after:
                paths[path] = f"{after[path]} sha256 {digest}"
        packages = sorted(set(host.run(PACKAGE_LIST).splitlines()) - before.packages)
        return cls(paths, packages, host.run(USERS), host.run(UNITS))

    def problems(self) -> list[str]:
        """What is not as the environment says, whatever other tools have left."""
        found = []
        wanted = {f"/etc/bench/app{n}.conf" for n in range(35)} | {f"/etc/systemd/system/bench-{n}.service" for n in range(5)}
        wanted |= {f"/srv/bench/data{n}" for n in range(18)} | {f"/srv/bench/release{n}" for n in range(10)}
        wanted |= {"/etc/bench", "/srv/bench", "/etc/security/limits.conf", "/etc/passwd"}
        found += [f"{path} was not made" for path in sorted(wanted - self.paths.keys())]
        if [line.split()[0] for line in self.packages] != sorted(PACKAGES):
            found.append(f"packages are {self.packages}")
        if self.units.count("ActiveState=active") != 5 or self.units.count("UnitFileState=enabled") != 5:
            found.append(f"units are not all active and enabled: {self.units}")
        return found

    def differences(self, other: "Left") -> list[str]:
        """How another tool's host of the same name differs from this one."""
        found = []
        for path in sorted(self.paths.keys() | other.paths.keys()):
            mine, theirs = self.paths.get(path, "untouched"), other.paths.get(path, "untouched")
            if mine != theirs:
                found.append(f"{path}: {mine} | {theirs}")
        for what in ("packages", "users", "units"):
            if getattr(self, what) != getattr(other, what):
                found.append(f"{what}: {getattr(self, what)} | {getattr(other, what)}")
        return found
