"""Which CAs a system trusts."""

from __future__ import annotations

from shlex import quote

from pyinfra.api import FactBase

from facts.reading import Unreadable

# Arguments: the bundle, then the base64 text of each certificate.
TRUSTED = (
    'bundle=$1; shift; all=$(tr -d "\\r\\n" <"$bundle") || exit 1; '
    'for body; do case $all in *"$body"*) echo trusted ;; *) echo unknown ;; esac; done'
)


class Trusted(FactBase[list[bool] | Unreadable]):
    """Whether each of some certificates is in the bundle that a system's programs trust, in their order."""

    def command(self, bundle: str, certificates: list[str]) -> str:
        """
        Args:
            bundle: the file that the system makes from all of them.
            certificates: as PEM, one each.
        """
        bodies = " ".join(quote(body_of(certificate)) for certificate in certificates)
        return f"sh -c {quote(TRUSTED)} trusted {quote(bundle)} {bodies}"

    def process(self, output: list[str]) -> list[bool] | Unreadable:
        if not output or set(output) - {"trusted", "unknown"}:
            return Unreadable("the command's answer is incomplete")
        return [line == "trusted" for line in output]


def body_of(certificate: str) -> str:
    """The base64 text of a certificate in PEM, without its frame and its line ends."""
    return "".join(line for line in certificate.splitlines() if not line.startswith("-----"))
