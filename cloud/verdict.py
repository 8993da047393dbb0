"""Verify's verdict: what was expected, what was found, and a report of both for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tabulate import tabulate


@dataclass(frozen=True)
class Check:
    """One line of the report.

    Attributes:
        section: the table it stands in.
        host: the host it is about.
        check: what was looked at.
        expected, found: in an operator's words; ``found`` gives the reason of a failure.
        ok: the verdict.
    """

    section: str
    host: str
    check: str
    expected: str
    found: str
    ok: bool


NOBODY = "not asked: no controller can be reached"


@dataclass
class Answers:
    """What was read.

    Attributes:
        hosts: host -> answer of ``verify_host.py``, or the reason (text) why there is none.
        clocks: host -> (its clock minus the deploying machine's, uncertainty), seconds.
        asker: the controller that asked the APIs and the databases; "": the first one.
        api, schemas, upgrades: its answers, or the reason (text) why there is none.
        left_out: hosts outside ``--limit``: nobody asked them.
    """

    hosts: dict[str, dict | str] = field(default_factory=dict)
    clocks: dict[str, tuple[float, float]] = field(default_factory=dict)
    asker: str = ""
    api: dict | str = NOBODY
    schemas: dict | str = NOBODY
    upgrades: dict | str = NOBODY
    left_out: list[str] = field(default_factory=list)

    def asked(self, names: Iterable[str]) -> list[str]:
        """Those of some hosts that somebody asked."""
        return [name for name in names if name not in self.left_out]


def part(answer: dict | str, key: str) -> Any:
    """One part of an answer, or a text with the reason why it is not there."""
    if isinstance(answer, str):
        return answer
    if "error" in answer:
        return answer["error"]
    found = answer.get(key, "no answer")
    return found["error"] if isinstance(found, dict) and set(found) == {"error"} else found


@dataclass
class Report:
    """All checks of one verification, and remarks that fail nothing."""

    checks: list[Check] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, section: str, host: str, check: str, expected: object, found: object, ok: bool) -> None:
        self.checks.append(Check(section, host, check, str(expected), str(found), bool(ok)))

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if not check.ok]

    @property
    def ok(self) -> bool:
        """A report without a single check has proved nothing."""
        return bool(self.checks) and not self.failed

    @property
    def last_line(self) -> str:
        return f"{len(self.checks)} checks, {len(self.failed)} failed"

    def tables(self) -> str:
        """One table a section, then the warnings, then the count."""
        parts = []
        for section in dict.fromkeys(check.section for check in self.checks):
            rows = [
                (c.host, c.check, c.expected, _shorten(c.found), "ok" if c.ok else "FAILED")
                for c in self.checks
                if c.section == section
            ]
            table = tabulate(rows, ("host", "check", "expected", "found", "verdict"), disable_numparse=True)
            parts.append(f"{section}\n{table}")
        if self.warnings:
            parts.append("Warnings\n" + "\n".join(f"- {text}" for text in self.warnings))
        parts.append(self.last_line)
        return "\n\n".join(parts)

    def write(self, path: str | Path) -> None:
        """Write it as JSON: ``{"ok", "checks": [{host, section, check, expected, found, ok}], …}``."""
        content = {
            "ok": self.ok,
            "checks": [asdict(check) for check in self.checks],
            "warnings": self.warnings,
        }
        target = Path(path)
        new = target.with_name(f".{target.name}.new")
        new.write_text(json.dumps(content, indent=1) + "\n")
        new.replace(target)


def _shorten(text: str, width: int = 90) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def heartbeats(
    report: Report,
    section: str,
    expected: Iterable[tuple[str, str]],
    found: Iterable[dict],
    limit: int,
) -> None:
    """Check that every expected service is there, up, and heard of within ``limit`` seconds.

    Args:
        report: takes the checks.
        section: the table.
        expected: (host, name) of each service.
        found: what the API answered: ``host``, ``name``, ``up``, ``enabled``, ``age`` (seconds since the last
            heartbeat, None when there was none).
        limit: seconds.
    """
    services = {(item["host"], item["name"]): item for item in found}
    wanted = list(expected)
    for key in wanted:
        host, name = key
        item = services.get(key)
        if item is None:
            report.add(section, host, name, "up", "not registered", False)
            continue
        age = item["age"]
        heard = "never heard of" if age is None else f"heard of {age:.0f} s ago"
        fresh = age is not None and age <= limit
        state = "up" if item["up"] else "down"
        if not item.get("enabled", True):
            state += ", disabled"
            report.warn(f"{name} on {host} is disabled: nothing new is scheduled there")
        report.add(section, host, name, "up", f"{state}, {heard}", item["up"] and fresh)
    for key, item in services.items():
        if key not in wanted:
            report.warn(
                f"{section}: {key[1]} on {key[0]} is registered but not in the inventory "
                f"({'up' if item['up'] else 'down'}); if that host is gone, remove the entry"
            )
