"""CAs that a host trusts, beyond those that its system comes with."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from shlex import quote

from pyinfra import host
from pyinfra.api import StringCommand, operation

from facts.config import ConfigFile
from facts.reading import Unreadable, read
from facts.trust import Trusted
from operations.config import write_command
from operations.failure import fail


@operation()
def authorities(certificates: Sequence[str], anchor: str, bundle: str, update: str):
    """Have the system trust CAs: its own programs, and Python's, curl's and git's with them.

    Args:
        certificates: as PEM, one each.
        anchor: the file that the first one is put into; the others get a number. Debian's program takes one
            certificate a file, and leaves out what holds two.
        bundle: the file that the system makes of all it trusts.
        update: the program that makes it.

    **Example:**

    .. code:: python

        trust.authorities(
            name="Trust the cloud's CA",
            certificates=[ca],
            anchor="/usr/local/share/ca-certificates/openstack.crt",
            bundle="/etc/ssl/certs/ca-certificates.crt",
            update="/usr/sbin/update-ca-certificates",
        )
    """
    stem, suffix = posixpath.splitext(anchor)
    changed = False
    for number, certificate in enumerate(certificates, 1):
        path = anchor if number == 1 else f"{stem}-{number}{suffix}"
        found = read(ConfigFile, path=path)
        if isinstance(found, Unreadable):
            yield fail(f"{path} can't be read: {found.reason}")
            return
        if (found.content, found.mode) != (certificate, "644"):
            yield write_command(found, certificate, "root", "root", "644")
            changed = True
    trusted = read(Trusted, bundle=bundle, certificates=list(certificates))
    if isinstance(trusted, Unreadable):
        yield fail(f"{bundle} can't be read: {trusted.reason}")
    elif changed or not all(trusted):
        # A run that is killed before this finds the bundle without the certificate.
        yield StringCommand(quote(update))
    else:
        host.noop(f"{bundle} has them")
