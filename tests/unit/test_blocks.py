"""Our part in another's file: put once, replaced, never mixed with the rest."""

import pytest

from cloud import blocks

OURS = f"{blocks.BEGIN}\nA = 1\n{blocks.END}\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", OURS),
        ("B = 2\n", f"B = 2\n{OURS}"),
        ("B = 2", f"B = 2\n{OURS}"),
        (f"B = 2\n{blocks.BEGIN}\nA = 0\nC = 0\n{blocks.END}\nD = 4\n", f"B = 2\n{OURS}D = 4\n"),
    ],
)
def test_it_is_put_once_and_replaced(text, wanted):
    assert blocks.put(text, "A = 1\n") == wanted
    assert blocks.put(wanted, "A = 1") == wanted


@pytest.mark.parametrize("mark", [blocks.BEGIN, blocks.END])
def test_half_a_part_is_refused(mark):
    with pytest.raises(ValueError, match="without"):
        blocks.put(f"B = 2\n{mark}\n", "A = 1")
