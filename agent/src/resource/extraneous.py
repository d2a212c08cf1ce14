# Prints the installed projects that none of the requirements on standard input needs, not even through others.
import sys
from importlib import metadata

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

installed = {canonicalize_name(dist.metadata["Name"]): dist for dist in metadata.distributions()}
todo = [Requirement(line) for line in sys.stdin.read().splitlines()]
todo = [requirement for requirement in todo if not requirement.marker or requirement.marker.evaluate()]
needed, seen = {"pip", "setuptools", "wheel"}, set()
while todo:
    requirement = todo.pop()
    name = canonicalize_name(requirement.name)
    needed.add(name)
    for extra in {""} | requirement.extras:
        if name not in installed or (name, extra) in seen:
            continue
        seen.add((name, extra))
        for text in installed[name].requires or []:
            further = Requirement(text)
            if not further.marker or further.marker.evaluate({"extra": extra}):
                todo.append(further)
print("\n".join(sorted(set(installed) - needed)))
