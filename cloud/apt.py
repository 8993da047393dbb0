"""The package sources in a Debian host's files. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit


class Source(NamedTuple):
    """One place that apt fetches packages from: a suite at a URI."""

    uri: str
    suite: str

    @property
    def server(self) -> str:
        """The name or address of the server; "" for what is on the host itself."""
        return urlsplit(self.uri).hostname or ""

    @property
    def label(self) -> str:
        """In short, and without a password that the URI may have."""
        return f"{self.server or self.uri} {self.suite}"


def sources(files: Mapping[str, str]) -> list[Source]:
    """The enabled sources of packages, each once; those of source code don't count.

    Args:
        files: path -> text, of ``/etc/apt/sources.list`` and ``/etc/apt/sources.list.d/*``.

    Source: sources.list(5).
    """
    found: dict[Source, None] = {}
    for path, text in files.items():
        read = _deb822 if path.endswith(".sources") else _lines
        found.update(dict.fromkeys(read(text)))
    return list(found)


def _lines(text: str) -> Iterator[Source]:
    """``deb [option=value …] URI SUITE [COMPONENT …]``."""
    for line in text.splitlines():
        matched = re.match(r"\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)", line)
        if matched:
            yield Source(*matched.groups())


def _deb822(text: str) -> Iterator[Source]:
    """Paragraphs of ``Field: value``, which goes on in lines that begin with a space."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines)):
        fields = {
            name.lower(): value.split()
            for name, value in re.findall(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", paragraph, re.MULTILINE)
        }
        off = fields.get("enabled", ["yes"])[:1] in (["no"], ["false"])
        if "deb" in fields.get("types", []) and not off:
            for uri in fields.get("uris", []):
                for suite in fields.get("suites", []):
                    yield Source(uri, suite)
