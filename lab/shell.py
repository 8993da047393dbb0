"""Run the outer machine's commands, say what is done, and fail with one clear message."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class LabError(Exception):
    """What went wrong and what to do about it, in one message for the operator."""


def run(*argv: object, stdin: str = "", timeout: float | None = None) -> str:
    """Run a command and give what it prints.

    Args:
        argv: the command and its arguments.
        stdin: text for its standard input.
        timeout: seconds.

    Raises:
        LabError: it failed, is missing or took too long; with its last words.
    """
    command = [str(word) for word in argv]
    shown = " ".join(command)[:200]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise LabError(f"no end after {timeout:.0f} s: {shown}") from None
    except OSError as error:
        raise LabError(f"{shown}: {error}") from None
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()[-12:]
        raise LabError("\n".join([f"exit status {done.returncode}: {shown}", *words]))
    return done.stdout


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print one line with the seconds that the block took, once it is done."""
    start = time.monotonic()
    yield
    print(f"{what:<60} {time.monotonic() - start:6.1f} s", flush=True)


def wait(what: str, limit: float, test: Callable[[], object], pause: float = 0.1) -> None:
    """Wait until ``test()`` is true.

    Raises:
        LabError: not within ``limit`` seconds; names ``what`` was waited for.
    """
    end = time.monotonic() + limit
    while not test():
        if time.monotonic() > end:
            raise LabError(f"{what}: not within {limit:.0f} s")
        time.sleep(pause)
