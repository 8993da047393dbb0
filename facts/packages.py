"""Which packages a host has."""

from __future__ import annotations

from shlex import quote

from pyinfra.api import FactBase

from facts.reading import Unreadable

POLICY = "/usr/sbin/policy-rc.d"
# The line by which our policy-rc.d is known: no other one is ever removed.
POLICY_MARKER = "# openstack-pyinfra: no daemon starts while packages are installed"


class DebianPackages(FactBase[dict]):
    """Every package that dpkg knows, in one round trip, whatever the number of names that are asked for.

    Answers ``{"installed": [name, …], "broken": [name, …], "policy": bool}``: names that are installed or
    provided by an installed package; packages that a killed run left half-way; whether that run also left
    our ``policy-rc.d``.

    Source: dpkg-query(1), ``db:Status-Abbrev``: wanted action, status, error flag.
    """

    def command(self) -> str:
        return (
            f"if grep -qsF {quote(POLICY_MARKER)} {POLICY}; then echo policy; fi; "
            "dpkg-query -W -f '${db:Status-Abbrev}\\t${Package}\\t${Provides}\\n'"
        )

    def process(self, output: list[str]) -> dict:
        installed, broken = set(), set()
        for line in output:
            status, _, rest = line.partition("\t")
            package, _, provides = rest.partition("\t")
            if not package:
                continue
            state, error = status[1:2], status[2:3].strip()
            # Half-installed, unpacked, half-configured, triggers awaited or pending.
            if state in "HUFWt" or error:
                broken.add(package)
            elif state == "i":
                installed.add(package)
                installed.update(name.split()[0] for name in provides.split(",") if name.strip())
        return {"installed": sorted(installed), "broken": sorted(broken), "policy": "policy" in output}


class MissingRpms(FactBase[list | Unreadable]):
    """The names of a list that no installed package has or provides, in one round trip.

    ``yum``'s own look-up asks the repositories, one name after the other, and takes a newer build there
    for a missing package; ``rpm`` asks only what is installed.
    """

    def command(self, packages: list[str]) -> str:
        names = " ".join(quote(package) for package in packages)
        # The exit status counts the missing ones, up to 255; 127 may also be rpm missing itself.
        return (
            "command -v rpm >/dev/null || { echo 'rpm is missing' >&2; exit 1; }; "
            f"LC_ALL=C rpm -q --whatprovides --queryformat '' {names} 2>&1 || :"
        )

    def process(self, output: list[str]) -> list[str] | Unreadable:
        # rpm calls every package missing when it can't open its database.
        if broken := _broken(output):
            return broken
        missing = "no package provides "
        return [line.removeprefix(missing) for line in output if line.startswith(missing)]


class RpmBuilds(FactBase[dict | Unreadable]):
    """The installed builds of a list of packages: name → [EPOCH:VERSION-RELEASE, …], in one round trip."""

    def command(self, packages: list[str]) -> str:
        names = " ".join(quote(package) for package in packages)
        line = quote("build=%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n")
        return (
            "command -v rpm >/dev/null || { echo 'rpm is missing' >&2; exit 1; }; "
            f"LC_ALL=C rpm -q --queryformat {line} {names} 2>&1 || :"
        )

    def process(self, output: list[str]) -> dict[str, list[str]] | Unreadable:
        if broken := _broken(output):
            return broken
        builds: dict[str, list[str]] = {}
        for line in output:
            if line.startswith("build="):
                name, _, build = line.removeprefix("build=").partition(" ")
                builds.setdefault(name, []).append(build)
        return builds


def _broken(output: list[str]) -> Unreadable | None:
    errors = [line for line in output if line.startswith("error: cannot open Packages")]
    return Unreadable(errors[-1]) if errors else None
