"""Settings of the operating system."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from pyinfra.api import FactBase


class SameTimezone(FactBase[bool]):
    """Whether the host's time zone is this one, under whatever name. A zone that is not there is an error."""

    def command(self, timezone: str) -> str:
        zone = quote(f"/usr/share/zoneinfo/{timezone}")
        return (
            f'if [ ! -f {zone} ]; then echo "no time zone of that name" >&2; exit 1; fi; '
            f'[ "$(readlink -f /etc/localtime)" = "$(readlink -f {zone})" ] && echo yes || echo no'
        )

    def process(self, output: list[str]) -> bool:
        return output == ["yes"]


class KernelSettings(FactBase[dict]):
    """``{name: value}``: settings of the running kernel, by sysctl's names. One it lacks is an error."""

    def command(self, names: Sequence[str]) -> str:
        files = " ".join(quote(f"/proc/sys/{name.replace('.', '/')}") for name in names)
        # Not sysctl: a small system may lack the program.
        return f"grep -H '' {files}"

    def process(self, output: list[str]) -> dict:
        rows = (line.removeprefix("/proc/sys/").partition(":") for line in output)
        return {path.replace("/", "."): " ".join(value.split()) for path, _, value in rows}
