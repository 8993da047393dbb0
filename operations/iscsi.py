"""iSCSI: the name under which a host attaches volumes."""

from __future__ import annotations

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation

from facts.iscsi import InitiatorName
from facts.reading import Unreadable, read
from operations.failure import fail


@operation()
def initiator_named(path: str = "/etc/iscsi/initiatorname.iscsi"):
    """Have the host be an iSCSI initiator with a name of its own; a name it has is kept.

    The host makes the name up (``iscsi-iname``). Two hosts of one name, as clones of a machine are, would
    take each other's sessions down: whoever clones one removes this file first.

    Args:
        path: the file that holds the name, open-iscsi's on every distribution.
    """
    found = read(InitiatorName, path=path)
    if isinstance(found, Unreadable):
        yield fail(f"{path} can't be read: {found.reason}")
    elif found:
        host.noop(f"the initiator is {found}")
    else:
        # Renamed into place: half a name would be kept for ever.
        new = QuoteString(f"{path}.new")
        yield StringCommand(
            'umask 077 && name=$(iscsi-iname) && [ -n "$name" ] &&',
            """printf 'InitiatorName=%s\\n' "$name" >""", new,
            "&& mv -fT", new, QuoteString(path),
        )  # fmt: skip
