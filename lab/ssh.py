"""Keys, known hosts, and whether a host answers."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from pathlib import Path

from lab import paths
from lab.hosts import LABS, Host, Lab
from lab.shell import run

KEY = paths.SSH / "id_ed25519"
KNOWN_HOSTS = paths.SSH / "known_hosts"


def prepare() -> None:
    """Make what is missing of: the key pair, one host key a host, and known_hosts, for all labs."""
    paths.SSH.mkdir(parents=True, exist_ok=True, mode=0o700)
    _keypair(KEY, "lab")
    lines = []
    for host in (host for lab in LABS.values() for host in lab.hosts):
        _keypair(host_key(host), host.name)
        lines.append(f"{host.address} {_public(host_key(host)).read_text()}")
    temporary = KNOWN_HOSTS.with_name(KNOWN_HOSTS.name + paths.PARTIAL)
    temporary.write_text("".join(lines))
    temporary.replace(KNOWN_HOSTS)


def host_key(host: Host) -> Path:
    """The private key of a host's sshd, for hosts of this name in every lab. It outlives the host, so that
    known_hosts stays true.
    """
    return paths.SSH / f"host-{host.name}"


def authorized_key() -> str:
    """The public key that every host lets in as root."""
    return _public(KEY).read_text()


def command(host: Host, *words: str) -> list[str]:
    """The ssh command for ``words`` on ``host``; a login shell without words."""
    options = (
        f"IdentityFile={KEY}", "IdentitiesOnly=yes", f"UserKnownHostsFile={KNOWN_HOSTS}",
        "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes", "ConnectTimeout=5", "LogLevel=ERROR",
    )  # fmt: skip
    return ["ssh", "-F", "none", *(f"-o{option}" for option in options), f"root@{host.address}", *words]


def reach(lab: Lab, name: str, **data: object) -> tuple[str, dict]:
    """A host of a lab for pyinfra's inventory: its name, how to log in, and further data."""
    keys = {"ssh_key": str(KEY), "ssh_known_hosts_file": str(KNOWN_HOSTS)}
    return name, {"ssh_hostname": lab.host(name).address, **keys, **data}


def answers(host: Host, timeout: float = 1) -> bool:
    """Whether the host's sshd greets within ``timeout`` seconds."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection((host.address, 22), timeout=timeout) as connection,
    ):
        return connection.recv(8).startswith(b"SSH-")
    return False


def lets_in(host: Host) -> bool:
    """Whether root may log in, which takes a little longer to become true."""
    if not answers(host):
        return False
    return (
        subprocess.run(command(host, "true"), stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
    )


def _keypair(path: Path, comment: str) -> None:
    if path.exists() and _public(path).exists():
        return
    temporary = path.with_name(path.name + paths.PARTIAL)
    for leftover in (temporary, _public(temporary)):
        leftover.unlink(missing_ok=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", temporary)
    _public(temporary).rename(_public(path))
    temporary.rename(path)


def _public(path: Path) -> Path:
    return path.with_name(path.name + ".pub")
