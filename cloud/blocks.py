"""A part of our own in a file that is another's. Pure."""

from __future__ import annotations

BEGIN = "# BEGIN of what the deploy writes: changes in here are lost"
END = "# END of what the deploy writes"


def put(text: str, block: str) -> str:
    """Put ``block`` between our marks: where they are, or at the end.

    Args:
        text: the file.
        block: what shall stand in it.

    Raises:
        ValueError: one mark without the other: somebody has edited the file.
    """
    if (BEGIN in text) != (END in text):
        there, missing = (BEGIN, END) if BEGIN in text else (END, BEGIN)
        raise ValueError(f"has the line {there!r} without {missing!r}: remove that line")
    ours = f"{BEGIN}\n{block.rstrip()}\n{END}\n"
    if BEGIN not in text:
        gap = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{gap}{ours}"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{ours}{after.removeprefix(chr(10))}"
