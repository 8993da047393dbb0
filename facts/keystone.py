"""Keystone's key repositories."""

from __future__ import annotations

from shlex import quote

from pyinfra.api import FactBase


class Keys(FactBase):
    """The key files in a repository by name, ``["0", "1"]``; none when the directory is missing or empty."""

    def command(self, directory: str) -> str:
        return f"if [ -d {quote(directory)} ]; then ls -1 {quote(directory)}; fi"

    def process(self, output: list[str]) -> list[str]:
        return sorted((name.strip() for name in output if name.strip().isdigit()), key=int)
