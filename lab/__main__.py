"""``python -m lab up|down|status [LAB] [--real]``, ``ssh|start|stop HOST``: see docs/lab.md."""

from __future__ import annotations

import os
import sys

# They work on a whole lab, and take its name; the others take a host's: $OPENSTACK_LAB says of which lab.
OF_A_LAB = ("up", "down", "status")
# The lab whose packages hold the real programs, by the name of the one with stand-ins.
REAL = "--real"


def choose() -> None:
    """Note which lab the command line names before anything reads it: its folder depends on it."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    if len(words) > 1 and words[0] in OF_A_LAB:
        os.environ["OPENSTACK_LAB"] = words[1]
    if REAL in sys.argv[1:]:
        os.environ["OPENSTACK_LAB"] = f"{os.environ.get('OPENSTACK_LAB', 'el')}-real"


def main() -> None:
    choose()
    from lab.command import main

    main()


if __name__ == "__main__":
    main()
