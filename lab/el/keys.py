"""The keys that sign the packages of EL hosts."""

from __future__ import annotations

from pathlib import Path

from lab import images
from lab.hosts import Lab

# Two keys: the one that hosts are told to trust, and a stranger's.
KEYS = """\
set -eu
cd "$1"
export GNUPGHOME=$PWD/gnupg
install -d -m 700 gnupg
for name in packages foreign; do
    gpg --batch --quiet --passphrase '' --quick-generate-key "Lab EL $name" rsa2048 sign never
    gpg --batch --export --armor "Lab EL $name" >$name.asc
    gpg --batch --with-colons --list-keys "Lab EL $name" | awk -F: '$1 == "fpr" { print $10; exit }' \\
        >$name.fingerprint
done
gpgconf --kill all
"""


def folder(lab: Lab) -> Path:
    """The folder with the keys, made once: hosts outlive the packages."""

    def build(place: Path) -> None:
        images.isolated(lab, "sh", "-c", KEYS, "sh", place)

    return images.built("el-keys", [KEYS], build)


def public_key(name: str = "packages") -> Path:
    """The file of a public key: ``packages`` or ``foreign``; its fingerprint is beside it."""
    return images.place("el-keys", [KEYS]) / f"{name}.asc"


def fingerprint(name: str = "packages") -> str:
    """The fingerprint of a key, or zeros before there is one: settings are read on every run."""
    file = public_key(name).with_suffix(".fingerprint")
    return file.read_text().strip() if file.exists() else "0" * 40


def declared() -> dict[str, dict[str, str]]:
    """``yum_keys`` for RDO's repositories, whose packages have the lab's signature here."""
    key = {"file": str(public_key()), "fingerprint": fingerprint()}
    names = ("Cloud", "Messaging", "NFV")
    return {f"/etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-SIG-{name}": dict(key) for name in names}
