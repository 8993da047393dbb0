"""``python -m lab up|down|status [LAB]``, ``ssh|start|stop HOST``: see docs/lab.md."""

from __future__ import annotations

import os
import sys

# They work on a whole lab, and take its name; the others take a host's: $OPENSTACK_LAB says of which lab.
OF_A_LAB = ("up", "down", "status")


def choose() -> None:
    """Note which lab the command line names before anything reads it: its folder depends on it."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    if len(words) > 1 and words[0] in OF_A_LAB:
        os.environ["OPENSTACK_LAB"] = words[1]


def main() -> None:
    choose()
    from lab.command import main

    main()


if __name__ == "__main__":
    main()
