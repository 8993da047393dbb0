"""Settings of the operating system."""

from __future__ import annotations

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
