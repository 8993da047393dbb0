"""Run one of the programs of ``operations/remote/`` on a host: program and request in, one JSON answer out.

Both travel on standard input: nothing of them is in ``ps``, in pyinfra's output, or left on the host. One
process answers many questions, where the ``openstack`` command would take seconds for each.
"""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote
from typing import Any

from pyinfra import host
from pyinfra.api import FactBase

from facts.reading import Unreadable, read

FOLDER = Path(__file__).parent.parent / "operations" / "remote"

# Libraries print what they like; the answer is what follows this.
MARK = "answer:"


def text_of(program: str, request: dict[str, Any]) -> str:
    """The text for ``python3 -``: the program's file, and the call of its ``main(request)``.

    Args:
        program: a file's name in ``operations/remote/``, without ``.py``.
        request: what ``main`` is given; anything JSON can hold.
    """
    source = (FOLDER / f"{program}.py").read_text()
    call = (
        f"import json\nprint({MARK!r} + json.dumps(main(json.loads({json.dumps(request)!r}))), flush=True)\n"
    )
    return f"{source}\n{call}"


class Program(FactBase):
    """The answer of a program given on standard input; use :func:`ask`."""

    def command(self, program: str, python: str = "python3") -> str:
        # The name is for whoever looks at ps.
        return f"LC_ALL=C.UTF-8 PYTHONWARNINGS=ignore {quote(python)} - {program}"

    def process(self, output: list[str]) -> Any:
        answers = [line for line in output if line.startswith(MARK)]
        if not answers:
            return Unreadable("the program ended without an answer")
        return json.loads(answers[-1].removeprefix(MARK))


def interpreter() -> dict[str, str]:
    """The current host's setting ``python``, as the argument of a fact that has one of that name."""
    return {"python": host.data.python} if host.data.get("python") else {}


def ask(program: str, **request: Any) -> Any:
    """Run a program on the current host.

    Args:
        program: a file's name in ``operations/remote/``, without ``.py``.
        request: what its ``main`` is given. Secrets are welcome.

    Returns:
        What ``main`` returned, or :class:`facts.reading.Unreadable` with the end of its standard error.
    """
    return read(Program, stdin=text_of(program, request), program=program, **interpreter())
