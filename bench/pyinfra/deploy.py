"""What bench/cc-cloud/roles/bench says, as a pyinfra deploy."""

from pathlib import Path

from pyinfra import host
from pyinfra.facts.files import File
from pyinfra.operations import apt, files, server, systemd

TEMPLATES = Path(__file__).resolve().parent.parent / "cc-cloud/roles/bench/templates"
PARAMS = {"listen": ["127.0.0.1", "127.0.0.2"], "features": ["forms", "cases", "reports"]}


def template(source: str, dest: str, item: int, group: str, mode: str) -> None:
    files.template(
        name=f"Template {dest}",
        src=str(TEMPLATES / source),
        dest=dest,
        user="root",
        group=group,
        mode=mode,
        jinja_env_kwargs={"trim_blocks": True, "lstrip_blocks": True},
        item=item,
        params=PARAMS,
    )


apt.packages(name="Packages", packages=["tree", "pv", "time", "ed", "dos2unix"], no_recommends=True)

for n in range(10):
    server.user(
        name=f"User bench{n}",
        user=f"bench{n}",
        uid=2000 + n,
        home=f"/home/bench{n}",
        create_home=True,
        shell="/usr/sbin/nologin",
        comment=f"Bench user {n}",
    )

for path in ["/etc/bench", "/srv/bench"]:
    files.directory(name=f"Directory {path}", path=path, user="root", group="root", mode="755")
for n in range(18):
    owner = f"bench{n % 10}"
    files.directory(
        name=f"Directory /srv/bench/data{n}", path=f"/srv/bench/data{n}", user=owner, group=owner, mode="750"
    )

for n in range(35):
    template("app.conf.j2", f"/etc/bench/app{n}.conf", n, f"bench{n % 10}", "640")
for n in range(5):
    template("bench.service.j2", f"/etc/systemd/system/bench-{n}.service", n, "root", "644")

for n in range(10):
    files.line(
        name=f"Line of bench{n}", path="/etc/security/limits.conf", line=f"bench{n} soft nofile {4096 + n}"
    )

for n in range(10):
    # pyinfra has no guard of its own for commands; a fact is how its documentation guards them.
    if not host.get_fact(File, path=f"/srv/bench/release{n}"):
        server.shell(name=f"Release {n}", commands=[f"install -m 0644 /etc/debian_version /srv/bench/release{n}"])

for n in range(5):
    systemd.service(name=f"Service bench-{n}", service=f"bench-{n}.service", running=True, enabled=True)
