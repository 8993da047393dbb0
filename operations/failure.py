"""Fail one host, or warn about it, with one clear message, from inside an operation."""

from __future__ import annotations

from pyinfra import logger
from pyinfra.api import FunctionCommand


def fail(message: str) -> FunctionCommand:
    """A command that fails the host and prints ``message``.

    An exception raised in an operation's generator ends the run of *every* host with a traceback;
    a command that fails drops just this host, and pyinfra's exit status is 1. While the plan is made
    the command is counted and not run: what can't be read yet (a database that is still to be
    installed) shows up as a change to come.

    Args:
        message: the setting, what was found, and what to do. The host's name is put in front.
    """

    def report(state, host):
        logger.error(f"{host.print_prefix}{message}")
        return False

    return FunctionCommand(report, (), {})


def warn(message: str) -> FunctionCommand:
    """A command that prints ``message`` as a warning, when it is executed and not while the plan is made.

    Args:
        message: what the operator must know or do. The host's name is put in front.
    """

    def notice(state, host):
        logger.warning(f"{host.print_prefix}{message}")
        return True

    return FunctionCommand(notice, (), {})
