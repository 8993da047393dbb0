"""One host after the other, where all of them at once would leave nobody to serve.

pyinfra's ``_serial`` does that for a whole operation, and goes on to the next host when one has failed: a
configuration that a service can't work with would end it everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gevent.lock import BoundedSemaphore
from pyinfra import host, state


@dataclass
class _Turns:
    lock: BoundedSemaphore = field(default_factory=BoundedSemaphore)
    failed: str = ""


_turns: dict[str, _Turns] = {}


@contextmanager
def turn(what: str) -> Iterator[str]:
    """Wait until no other host is at it. Gives the host that failed at it before, or "".

    What an operation yields within is its host's turn. A command that fails ends the operation there, and so
    is told from a turn that was finished.

    Args:
        what: for which work, the same on every host.
    """
    if not state.is_executing:
        yield ""
        return
    turns = _turns.setdefault(what, _Turns())
    with turns.lock:
        before = turns.failed
        turns.failed = before or host.name
        yield before
        turns.failed = before
