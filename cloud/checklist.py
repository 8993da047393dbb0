"""Preflight's verdict: what every host must be, what it is, and what to do about it, as one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tabulate import tabulate

# As wanted; not yet, and the deploy itself sees to it; works, but look at it; the run is refused.
OK, SET, WARNING, REFUSED = VERDICTS = ("ok", "will be set", "warning", "refused")


class Problem(NamedTuple):
    """What is wrong, and what to do about it."""

    found: str
    cure: str

    def __str__(self) -> str:
        return f"{self.found}; {self.cure}"


@dataclass(frozen=True)
class Line:
    """One line of a host.

    Attributes:
        check: what was looked at; a setting's name, where one decides.
        wanted, found: in an operator's words.
        verdict: one of ``VERDICTS``.
        cure: what to do, or what the deploy does; "" where nothing is to be done.
    """

    check: str
    wanted: str
    found: str
    verdict: str = OK
    cure: str = ""

    @property
    def problem(self) -> str:
        """The line as a sentence, for the message that refuses a run."""
        return f"{self.check}: {Problem(self.found, self.cure)}"


def judged(check: str, wanted: str, found: str, ok: bool, cure: str, otherwise: str = REFUSED) -> Line:
    """A line that is ok, or else has another verdict and its cure."""
    return Line(check, wanted, found) if ok else Line(check, wanted, found, otherwise, cure)


def unreadable(check: str, reason: str) -> Line:
    """The line of what a host could not tell: never to be taken for "good"."""
    return Line(check, "can be read", f"can't be read: {reason}", REFUSED, "correct what it says")


def refused(lines: list[Line]) -> list[Line]:
    """Those that stand in the way."""
    return [line for line in lines if line.verdict == REFUSED]


def table(hosts: Mapping[str, list[Line]], whole: bool = True) -> str:
    """All lines, or only warnings and what is refused; then how many there are of each kind.

    Args:
        hosts: host -> its lines.
        whole: whether what is good has its lines, too.
    """
    verdicts = VERDICTS if whole else (WARNING, REFUSED)
    rows = [
        (host, line.check, _shorten(line.wanted), _shorten(line.found), line.verdict, line.cure)
        for host, lines in hosts.items()
        for line in lines
        if line.verdict in verdicts
    ]
    header = ("host", "check", "wanted", "found", "verdict", "cure")
    parts = [tabulate(rows, header, disable_numparse=True)] if rows else []
    return "\n\n".join([*parts, _count(hosts)])


def _count(hosts: Mapping[str, list[Line]]) -> str:
    found = Counter(line.verdict for lines in hosts.values() for line in lines)
    verdicts = f"{found[SET]} will be set, {found[WARNING]} warnings, {found[REFUSED]} refused"
    return f"{found.total()} checks on {len(hosts)} hosts: {verdicts}"


def _shorten(text: str, width: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
