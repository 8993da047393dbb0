"""Read a fact whose answer may hold a secret, or whose failure must not look like "absent".

pyinfra's ``host.get_fact`` prints a fact's output with ``-vvv`` and its keyword arguments with ``-v``,
and gives the fact's *default* when the command failed, so that "the database did not answer" and
"the database has no such user" look the same. :func:`read` does neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from paramiko import SSHException
from pyinfra import host, state
from pyinfra.api import FactBase, StringCommand
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS, pop_global_arguments


@dataclass(frozen=True)
class Unreadable:
    """The answer of a fact that could not be read; never to be taken for "absent" (design rule 6)."""

    reason: str


def read(fact: type[FactBase], *, stdin: str | None = None, **arguments: Any) -> Any:
    """Read ``fact`` from the current host without ever printing what it answers.

    Args:
        fact: a fact class; its ``command(**arguments)`` is run, its ``process(lines)`` gives the answer.
        stdin: text for the command's standard input, the place for secrets.
        arguments: for the fact's ``command``. They are printed with ``-vv``: no secrets here.

    Returns:
        What ``process`` returns, or :class:`Unreadable` with the command's own words when the command
        failed, timed out, or the connection broke.
    """
    reader = fact()
    given = dict(host.current_op_global_arguments or {})
    global_arguments, _ = pop_global_arguments(state, host, given)
    connector = {key: global_arguments[key] for key in CONNECTOR_ARGUMENT_KEYS if key in global_arguments}
    connector["_stdin"] = stdin
    try:
        succeeded, output = host.run_shell_command(
            StringCommand(reader.command(**arguments)),
            print_output=False,
            print_input=state.print_fact_input,
            **connector,
        )
    except (TimeoutError, OSError, EOFError, SSHException) as error:
        return Unreadable(f"{type(error).__name__}: {error}")
    if not succeeded:
        return Unreadable("\n".join(output.stderr_lines[-8:]) or "the command failed without a word")
    return reader.process(output.stdout_lines)
