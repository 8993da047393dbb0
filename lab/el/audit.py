"""What is wrong with packages that rpmbuild makes without a word. Pure.

A package that came out hollow once kept a unit from starting, while every installation had gone well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from lab.el.infrastructure import BASE
from lab.el.rpm import UNITS, Rpm

EXEC = re.compile(r"(?m)^Exec\w+=[-@:+!|]*(\S+)")
WSGI = re.compile(r"(?m)^\s*WSGIScriptAlias\s+\S+\s+(\S+)")


def problems(packages: Iterable[Rpm], root_has: Callable[[str], bool]) -> list[str]:
    """What each package needs and nobody brings, in words.

    Args:
        packages: all that a host can install.
        root_has: whether a path is there before any package is.
    """
    packages = tuple(packages)
    names = {name for package in packages for name in (package.name, *package.provides)}
    names |= {*BASE, *(name for provided in BASE.values() for name in provided)}
    paths = {path for package in packages for path in (*package.files, *package.links, *package.content)}
    folders = tuple(f"{path}/" for package in packages for path in package.content)

    def there(path: str) -> bool:
        return path in paths or path.startswith(folders) or root_has(path)

    found = []
    for package in packages:
        found += [f"{package.name} needs {name}" for name in package.requires if name not in names]
        if package.debs and not package.content:
            found.append(f"{package.name} has nothing of {', '.join(package.debs)}")
        for path, file in package.files.items():
            programs = EXEC.findall(file.text) if path.startswith(f"{UNITS}/") else []
            programs += WSGI.findall(file.text) if path.endswith(".conf") else []
            found += [f"{package.name}: {path} names {name}" for name in programs if not there(name)]
    return found
