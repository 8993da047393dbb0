"""What a host is called as an iSCSI initiator."""

from __future__ import annotations

from shlex import quote

from pyinfra.api import FactBase


class InitiatorName(FactBase[str]):
    """The host's iSCSI name (IQN), empty when it has none yet.

    The last ``InitiatorName=`` counts, as for iscsid. A file with nothing but ``GenerateName=yes``, as a
    prepared image has it, holds no name: iscsid would make one at its first start, which is too late for
    nova-compute, as that tells the storage host the name before it starts iscsid.
    """

    def command(self, path: str) -> str:
        """
        Args:
            path: the file that holds the name.
        """
        return f"if [ -e {quote(path)} ]; then cat {quote(path)}; fi"

    def process(self, output: list[str]) -> str:
        names = [line.partition("=")[2].strip() for line in output if line.startswith("InitiatorName=")]
        return names[-1] if names else ""
