"""Edit INI files as oslo.config reads them, keeping what the distribution wrote.

ConfigUpdater, the library for this job, refuses an option or a section that comes twice and an option before
any header; without its strict mode it keeps the repeated lines but can reach only one of them. oslo.config
repeats options on purpose (``MultiStrOpt``) and merges repeated sections, so this is our own editor.

The grammar is ``oslo_config/iniparser.py``'s: ``=`` or ``:`` ends a name, names are case-sensitive, ``#`` and
``;`` start a comment, and a deeper indented line continues the option right above it (even a ``#`` line: oslo
makes that a part of the value). Beyond oslo, for MariaDB: options without a value (:data:`FLAG`), indented
options, options before any header (section ``""``), and ``!includedir`` lines, left alone like comments.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Wanted = Mapping[str, Mapping[str, str | list[str] | None]]
"""Section → option → its value; a list repeats the option, exactly these times; ``None`` removes it."""

FLAG = "\0"
"""The value of an option that stands alone, such as MariaDB's ``skip-name-resolve``; no text file has it."""

_COMMENT = ("#", ";", "!")
_HEADER = re.compile(r"\[([^]]+)\]")
_OPTION = re.compile(r"([^=:]*)(?:[=:](.*))?")


@dataclass
class _Section:
    """The lines ``start`` up to, not including, ``end`` below one header; a name may come more than once."""

    name: str
    start: int
    end: int


@dataclass
class _Option:
    """One occurrence of an option: the lines ``start`` up to, not including, ``end``."""

    section: str
    name: str
    value: str
    start: int
    end: int


def parse(text: str) -> dict[str, dict[str, list[str]]]:
    """Read a file: section → option → its values, one for each time the option comes.

    Values are stripped, and keep their quotes; the lines of a continued value are joined with ``\\n``.
    """
    sections, options = _scan(_lines(text))
    found: dict[str, dict[str, list[str]]] = {section.name: {} for section in sections if section.name}
    for option in options:
        found.setdefault(option.section, {}).setdefault(option.name, []).append(option.value)
    return found


def read_wanted(text: str) -> dict[str, dict[str, str | list[str] | None]]:
    """Read a rendered template, which holds only the options we set, into what :func:`merge` takes.

    Raises:
        ValueError: a line is no option. It is named by number: its text may hold a secret.
    """
    for option in _scan(_lines(text))[1]:
        if not _is_option(option.name, option.value):
            raise ValueError(f"line {option.start + 1} is not an option, a section or a comment")
        for below, line in enumerate(option.value.split("\n")[1:], start=1):
            # An option indented with its {% if %} would silently become a part of the value above it.
            if re.match(r"[\w.-]+ = ", line):
                raise ValueError(
                    f"line {option.start + below + 1} is indented: it continues the option above it"
                )
    return {
        section: {name: _single(values) for name, values in options.items()}
        for section, options in parse(text).items()
    }


def overlay(wanted: Wanted, overrides: Mapping[str, Mapping[str, Any]]) -> dict:
    """Put the operator's overrides over what a template wants; the override wins.

    Args:
        wanted: as :func:`read_wanted` gives it.
        overrides: section → option → a text, number, true or false, a list of these, or ``None`` (remove it).

    Raises:
        ValueError: an override no INI file can hold. The message names the option, never its value.
    """
    result = {section: dict(options) for section, options in wanted.items()}
    for section, options in overrides.items():
        if not isinstance(options, Mapping):
            raise ValueError(f"the override of [{section}] must map options to values")
        for name, value in options.items():
            values = [_text(item) for item in _listed(value)]
            if not _is_writable(section, name, values):
                raise ValueError(f"the override of {_label(section, name)} can't be written in an INI file")
            result.setdefault(section, {})[name] = _single(values) if values else None
    return result


def differences(text: str, wanted: Wanted) -> list[str]:
    """Name the options :func:`merge` would change, as ``[section] option``; never a value."""
    return [_label(section, name) for section, name, _, _ in _changes(_scan(_lines(text))[1], wanted)]


def merge(text: str, wanted: Wanted) -> str:
    """Give ``text`` the wanted options and keep every other line as it is, byte for byte.

    A changed option takes the place of its first line, and its other lines go. A new option follows its
    commented sample (``#option = default``) or else ends its section; a new section ends the file.
    ``merge(merge(t, w), w) == merge(t, w)``.

    Args:
        text: the file's content; "" for a file that doesn't exist.
        wanted: section → option → a text, a list of texts, or ``None``.

    Returns:
        The new content; ``text`` itself when nothing differs.
    """
    lines = _lines(text)
    sections, options = _scan(lines)
    dropped: set[int] = set()
    replaced: dict[int, list[str]] = {}
    added: dict[int, list[str]] = defaultdict(list)  # by the index of the line they follow
    new_sections: dict[str, list[str]] = defaultdict(list)

    changed = False
    for section, name, values, present in _changes(options, wanted):
        changed = True
        for option in present:
            dropped.update(range(option.start, option.end))
        if present:
            first = present[0].start
            replaced[first] = _render(name, values, indent=_indent(lines[first]))
            continue
        parts = [part for part in sections if part.name == section]
        if not parts:
            new_sections[section] += _render(name, values)
        elif (sample := _sample(lines, parts, name)) is not None:
            # Indented like the line below, which would else turn into a continuation of the new option.
            below = lines[sample + 1] if sample + 1 < len(lines) else ""
            added[sample] += _render(name, values, indent=_indent(below) if below.strip() else "")
        else:
            added[_last_line(lines, parts[-1])] += _render(name, values)
    if not changed:
        return text

    result = list(added[-1])
    for number, line in enumerate(lines):
        result += replaced.get(number, [] if number in dropped else [line])
        result += added[number]
    for section, block in new_sections.items():
        if result and result[-1].strip():
            result.append("")
        result += [f"[{section}]", *block]
    return "".join(f"{line}\n" for line in result)


def _lines(text: str) -> list[str]:
    """Split at newlines only: ``str.splitlines`` also splits at form feeds and Unicode separators."""
    return text.removesuffix("\n").split("\n") if text else []


def _scan(lines: list[str]) -> tuple[list[_Section], list[_Option]]:
    """Find the sections and the options; the first section is "", what stands before any header."""
    sections = [_Section("", 0, len(lines))]
    options: list[_Option] = []
    above: _Option | None = None  # the option the next line would continue
    for number, line in enumerate(lines):
        text = line.strip()
        if above and text and len(_indent(line)) > len(_indent(lines[above.start])):
            value = "" if above.value == FLAG else above.value
            above.value, above.end = f"{value}\n{text}", number + 1
            continue
        above = None
        if not text or text.startswith(_COMMENT):
            continue
        if header := _HEADER.match(text):
            sections[-1].end = number
            sections.append(_Section(header[1], number + 1, len(lines)))
        else:
            option = _OPTION.match(text)
            value = FLAG if option[2] is None else option[2].strip()
            above = _Option(sections[-1].name, option[1].strip(), value, number, number + 1)
            options.append(above)
    return sections, options


def _changes(options: list[_Option], wanted: Wanted) -> Iterator[tuple[str, str, list[str], list[_Option]]]:
    """The wanted options that differ: section, name, wanted values, present occurrences."""
    for section, names in wanted.items():
        for name, value in names.items():
            values = _listed(value)
            present = [option for option in options if (option.section, option.name) == (section, name)]
            if [_stripped(item) for item in values] != [option.value for option in present]:
                yield section, name, values, present


def _sample(lines: list[str], parts: list[_Section], name: str) -> int | None:
    """The last commented sample of an option. ``#name`` comes before ``# name``, which may be prose."""
    for space in ("", r"[ \t]+"):
        sample = re.compile(rf"[#;]{space}{re.escape(name)}[ \t]*([=:]|\r?$)")
        found = [n for part in parts for n in range(part.start, part.end) if sample.match(lines[n])]
        if found:
            return found[-1]
    return None


def _last_line(lines: list[str], section: _Section) -> int:
    """The line that a new option follows at a section's end; -1 is the top of the file."""
    end = section.end
    if end < len(lines):
        # A comment glued to the next header describes that header: it stays there.
        glued = end
        while glued > section.start and lines[glued - 1].startswith(("#", ";")):
            glued -= 1
        if glued > section.start and not lines[glued - 1].strip():
            end = glued
    while end > section.start and not lines[end - 1].strip():
        end -= 1
    return end - 1


def _render(name: str, values: list[str], indent: str = "") -> list[str]:
    lines = []
    for value in values:
        first, *rest = _stripped(value).split("\n")
        lines.append(indent + (name if value == FLAG else f"{name} = {first}".rstrip()))
        lines += [f"{indent}    {line}" for line in rest]
    return lines


def _is_option(name: str, value: str) -> bool:
    """A flag is one word: more words are an assignment whose "=" was forgotten."""
    return bool(name) and not name.startswith("[") and not (value == FLAG and re.search(r"\s", name))


def _is_writable(section: str, name: str, values: list[str | None]) -> bool:
    """Whether the values, once written, read back the same: no blank line in a value, no "=" in a name, …"""
    if not values:
        return True
    if None in values or not isinstance(name, str) or not _is_option(name, values[0]):
        return False
    header = [f"[{section}]"] if section else []
    return parse("\n".join([*header, *_render(name, values)])) == {section: {name: values}}


def _stripped(value: str) -> str:
    return "\n".join(line.strip() for line in value.rstrip().split("\n"))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _listed(value: Any) -> list:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _single(values: list) -> Any:
    return values[0] if len(values) == 1 else values


def _text(value: Any) -> str | None:
    """oslo.config's text of an operator's value; ``None`` for what has none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _stripped(str(value)) if isinstance(value, (str, int, float)) else None


def _label(section: str, name: str) -> str:
    return f"[{section}] {name}" if section else name
