"""A packstack answer file, read: every option known, once, with the line it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from cloud.packstack_options import OLDER_NAMES, OPTIONS, PLACEHOLDER, is_off, is_secret

ON = ("y", "yes", "true")
SECTION = re.compile(r"\[(.*)\]")
# As packstack reads it: the first of "=" and ":" ends the name.
OPTION = re.compile(r"([^=:\s]+)\s*[=:]\s*(.*)")


# Of a file that is something else altogether more lines tell nothing.
SHOWN = 40


class Refusal(ValueError):
    """What can't be translated; ``problems`` has a line for each reason."""

    def __init__(self, problems: Iterable[str]):
        self.problems = list(dict.fromkeys(problems))
        lines = "".join(f"\n  - {problem}" for problem in self.problems[:SHOWN])
        lines += f"\n  - and {len(self.problems) - SHOWN} more" if len(self.problems) > SHOWN else ""
        super().__init__(f"the answer file can't be translated, nothing was written:{lines}")


@dataclass
class Answers:
    """The options of an answer file.

    Attributes:
        path: the file.
        values: option -> value, by the names that the file has.
        lines: option -> number of its line.
        problems: what is wrong with values that were asked for.
    """

    path: Path
    values: dict[str, str] = field(repr=False)
    lines: dict[str, int]
    problems: list[str] = field(default_factory=list)

    def option(self, name: str) -> str:
        """The name that an option has in this file: its own, or an older one."""
        if name in self.values:
            return name
        older = (old for old, new in OLDER_NAMES.items() if new == name)
        return next((old for old in older if self.values.get(old)), name)

    def value(self, name: str) -> str:
        """An option's value; "" where the file does not have it."""
        return self.values.get(self.option(name), "")

    def has(self, name: str) -> bool:
        return self.option(name) in self.values

    def on(self, name: str) -> bool:
        """Whether a switch is on; another word than yes and no is a problem."""
        value = self.value(name).lower()
        if value not in ON and not is_off(value):
            self.problems.append(f"{self.found(name)}: neither 'y' nor 'n'")
        return value in ON

    def list(self, name: str) -> list[str]:
        """The parts of a value between its commas, each once."""
        parts = (part.strip() for part in self.value(name).split(","))
        return list(dict.fromkeys(part for part in parts if part))

    def pairs(self, name: str) -> dict[str, str]:
        """A value like ``physnet1:br-ex,physnet2:br-eth2``."""
        found = {}
        for part in self.list(name):
            key, _, value = (word.strip() for word in part.partition(":"))
            if not key or not value or key in found:
                self.problems.append(f"{self.found(name)}: {part!r} is no new pair like physnet1:br-ex")
            found[key] = value
        return found

    def secret(self, name: str) -> str:
        """A password's value; "" where packstack would make one."""
        value = self.value(name)
        return "" if value == PLACEHOLDER else value

    def found(self, name: str) -> str:
        """An option as it stands in the file, for messages; a secret's value is not told."""
        name = self.option(name)
        if name not in self.values:
            return name
        value = "***" if is_secret(name) else self.values[name]
        return f"{name}={value} (line {self.lines[name]})"


def holds_login(url: str) -> bool:
    """Whether a URL has a user, and perhaps a password, in it."""
    return "@" in url.partition("://")[2].partition("/")[0]


def read(path: Path) -> Answers:
    """Read an answer file.

    Args:
        path: the file.

    Raises:
        Refusal: it is none; with a line for each mistake.
    """
    try:
        # Comments may be in any encoding; packstack's own hold null bytes.
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise Refusal([f"{path} can't be read: {error.strerror}"]) from None
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    problems: list[str] = []
    section = None
    # Not splitlines(), which also ends lines where packstack sees none.
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if not stripped.isprintable():
            problems.append(f"line {number}: holds what is no text")
        elif match := SECTION.fullmatch(stripped):
            section = match[1]
            if section != "general":
                problems.append(f"line {number}: section {stripped}: an answer file has only [general]")
        elif section is None:
            problems.append(f"line {number}: stands before the section [general]")
        else:
            _option(line, number, values, lines, problems)
    if section is None or not values:
        raise Refusal([f"{path} has no section [general] with options: it is no answer file of packstack's"])
    if problems:
        raise Refusal(problems)
    return Answers(path, values, lines)


def _option(
    line: str, number: int, values: dict[str, str], lines: dict[str, int], problems: list[str]
) -> None:
    match = OPTION.fullmatch(line.strip())
    if not match or line[0].isspace():
        # Its text may be a password's second half.
        reason = "begins with a blank, so packstack takes it for more of the value above"
        problems.append(f"line {number}: {reason if match else 'is no OPTION=VALUE'}")
        return
    # packstack does not care for case.
    name, value = match[1].upper(), match[2]
    if name in values:
        problems.append(f"line {number}: {name} stands in line {lines[name]} already: keep one of them")
    elif name not in OPTIONS and name not in OLDER_NAMES:
        close = get_close_matches(name, [*OPTIONS, *OLDER_NAMES], n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        problems.append(f"line {number}: unknown option {name}{hint}")
    values[name], lines[name] = value, number
