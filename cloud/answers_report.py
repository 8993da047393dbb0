"""What a translation tells the operator: the fate of every option, and what is not as it was."""

from __future__ import annotations

import textwrap

from cloud.answers_choices import Translation
from cloud.packstack_options import NOT_NEEDED, NOT_SUPPORTED, OLDER_NAMES, OPTIONS, TRANSLATED

WIDTH = 110  # characters of a line


def fates(result: Translation) -> dict[str, list[tuple[str, list[str]]]]:
    """Fate -> [(reason, the file's options)], none left out."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in result.answers.values:
        group = OPTIONS[OLDER_NAMES.get(name, name)]
        found.setdefault(group.fate, {}).setdefault(group.reason, []).append(name)
    return {fate: list(reasons.items()) for fate, reasons in found.items()}


def report(result: Translation) -> str:
    """What becomes of every option, and what an operator must know."""
    parts = []
    found = fates(result)
    for fate in (TRANSLATED, NOT_NEEDED, NOT_SUPPORTED):
        reasons = found.get(fate, [])
        count = sum(len(names) for _, names in reasons)
        lines = [f"{fate.capitalize()}: {count} options"]
        for reason, names in reasons:
            lines += textwrap.wrap(f"{reason}:", WIDTH, initial_indent="  ", subsequent_indent="  ")
            short = " ".join(name.removeprefix("CONFIG_") for name in names)
            lines += textwrap.wrap(
                short, WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
            )
        parts.append("\n".join(lines))
    for title, entries in (
        ("The new cloud lacks", result.lacks),
        ("It differs", result.differs),
        ("Chosen, as the answer file does not say", result.chosen),
    ):
        if entries:
            parts.append("\n".join([title, *(_entry(entry) for entry in entries)]))
    return "\n\n".join(parts) + "\n"


def _entry(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="  - ", subsequent_indent="    ", break_long_words=False)
