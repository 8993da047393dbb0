"""TLS in this cloud: what its certificates are for, whether the choices agree, and the files. Pure.

haproxy ends TLS: on the load balancers, or where there are none, on the controllers, in front of their own
APIs. Those then leave haproxy their ports on the addresses that clients use:
:meth:`cloud.model.Cloud.api_address`.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509

from cloud import certificates
from cloud.certificates import Certificates
from cloud.model import Cloud, Node

FOLDER = "pki"
CA = "ca.pem"
CA_KEY = "ca.key"
SERVER = "server.pem"


def folder_for(inventory: str | Path) -> Path:
    """Where the cloud's own CA and its certificates lie."""
    return Path(inventory).resolve().parent / FOLDER


def host_file(name: str) -> str:
    """The file with a host's certificate, in that folder."""
    return f"host-{name}.pem"


def server_names(cloud: Cloud) -> list[str]:
    """What users and services call the endpoints: names and addresses, each once."""
    virtual = cloud.settings.virtual_address
    names = [
        cloud.public_address,
        cloud.internal_address,
        *([str(virtual)] if virtual else []),
        *([cloud.settings.login_address] if cloud.settings.login_address else []),
    ]
    return list(dict.fromkeys(names))


def host_names(node: Node) -> list[str]:
    """What a host is called: its name, its addresses."""
    return list(dict.fromkeys([node.name, node.address, node.tunnel_address]))


def authorities(cloud: Cloud) -> list[str]:
    """The CAs that the hosts are to trust, as PEM, one each."""
    chain = certificates.read_chain(cloud.certificates.ca, "the CA")
    return [certificates.text(certificate) for certificate in chain]


def asked_names(cloud: Cloud) -> list[str]:
    """The names that clients ask for over TLS: a certificate without one of them would be refused."""
    names = [cloud.public_address] if cloud.secured("public") else []
    names += [cloud.internal_address] if cloud.secured("internal") else []
    login = cloud.settings.login_address
    names += [login] if login and cloud.login_url("demo").startswith("https") else []
    return list(dict.fromkeys(names))


def problems(cloud: Cloud) -> list[str]:
    """Choices about TLS that contradict each other, or what this cloud can't have; a line each."""
    chosen, found = cloud.settings, []
    files = {name: getattr(chosen, name) for name in ("tls_certificate", "tls_key", "tls_ca")}
    given = [name for name, value in files.items() if value]
    if chosen.tls == "none":
        given += ["public_bind_address"] if chosen.public_bind_address else []
        if given:
            found.append(
                f"{', '.join(given)}: without effect, as tls is 'none': set tls to 'public' or 'all'"
            )
        return [f"group_data/all.py: {line}" for line in found]
    if bool(chosen.tls_certificate) != bool(chosen.tls_key):
        there, lacking = (
            ("tls_certificate", "tls_key") if chosen.tls_certificate else ("tls_key", "tls_certificate")
        )
        found.append(
            f"{there} is set and {lacking} is not: a certificate needs its key, name both or neither"
        )
    elif chosen.tls_ca and not chosen.tls_certificate:
        found.append(
            "tls_ca is set without tls_certificate and tls_key: the CA of python -m cloud.pki needs no "
            "setting"
        )
    if chosen.tls == "all" and not cloud.release.has("full_urls"):
        found.append(
            f"tls 'all' is for release train and later, and release is {cloud.release}: its services are "
            "told of a CA in other ways; take tls = 'public'"
        )
    if chosen.balanced is not None:
        found.append(
            "balanced leaves APIs out, and haproxy is what ends TLS: with tls every API goes through "
            "it; remove it"
        )
    for node in cloud.proxies:
        internal, public = cloud.internal_bind(node), cloud.public_bind(node)
        if chosen.tls == "public" and (internal == public or cloud.public_address == cloud.internal_address):
            found.append(
                f"tls 'public': on {node.name} the public endpoints ({cloud.public_address}, at {public}) "
                f"and the internal ones ({cloud.internal_address}, at {internal}) are in the same place, "
                "and one port can't answer both with TLS and without: give public_address (and "
                "public_bind_address, where it is a name) another address, or take tls = 'all'"
            )
        if cloud.shares_ports(node) and not node.paths("api-defaults"):
            found.append(
                f"tls: {node.name} is platform {node.settings.platform!r}, where the APIs can't share their "
                "ports with haproxy: put load balancers in front (group 'loadbalancer', virtual_address)"
            )
    return [f"group_data/all.py: {line}" for line in found]


def _text(place: Path, setting: str) -> str:
    try:
        return place.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise certificates.Unusable(f"{setting}: {place} can't be read: {error}") from None


def _private(place: Path, setting: str) -> None:
    mode = place.stat().st_mode & 0o777
    if mode & 0o077:
        raise certificates.Unusable(
            f"{setting}: {place} has mode {mode:04o}: others can read the key; do: chmod 600 {place}"
        )


def _pair(
    content: str,
    key: str,
    where: str,
    names: list[str],
    trusted: list[x509.Certificate] | None,
    now: datetime,
) -> tuple[str, list[str]]:
    """The PEM for haproxy, and what is wrong with it."""
    chain = certificates.read_chain(content, where)
    wrong = certificates.problems(chain, certificates.read_key(key, where), names, trusted, now)
    text = "".join(certificates.text(certificate) for certificate in chain)
    return text + key[key.index("-----BEGIN") :], [f"{where}: {line}" for line in wrong]


def load(cloud: Cloud, inventory: str | Path, now: datetime) -> tuple[Certificates | None, list[str]]:
    """What this cloud shows and trusts, and what is wrong with it.

    Args:
        cloud: the model.
        inventory: its file: the operator's files are named from its folder.
        now: the present, with its time zone.
    """
    if cloud.settings.tls == "none":
        return None, []
    try:
        return (
            _chosen(cloud, inventory, now) if cloud.settings.tls_certificate else _own(cloud, inventory, now)
        )
    except certificates.Unusable as problem:
        return None, [str(problem)]


def _chosen(cloud: Cloud, inventory: str | Path, now: datetime) -> tuple[Certificates, list[str]]:
    chosen, folder = cloud.settings, Path(inventory).resolve().parent
    place, key_place = folder / chosen.tls_certificate, folder / chosen.tls_key
    content, key = _text(place, "tls_certificate"), _text(key_place, "tls_key")
    _private(key_place, "tls_key")
    ca = trusted = None
    if chosen.tls_ca:
        trusted = certificates.read_chain(_text(folder / chosen.tls_ca, "tls_ca"), f"tls_ca: {chosen.tls_ca}")
        ca = "".join(certificates.text(certificate) for certificate in trusted)
    # Whatever else stands in the file: haproxy gets the certificates, and one key.
    certificates.read_key(key, f"tls_key: {key_place}")
    text, wrong = _pair(content, key, f"tls_certificate: {place}", asked_names(cloud), trusted, now)
    return Certificates(server=text, ca=ca), wrong


def _own(cloud: Cloud, inventory: str | Path, now: datetime) -> tuple[Certificates | None, list[str]]:
    folder, command = folder_for(inventory), f"python -m cloud.pki {inventory}"
    if not (folder / SERVER).exists() or not (folder / CA).exists():
        return None, [
            f"tls is {cloud.settings.tls!r}, and {folder} has no {SERVER} with its {CA}: make them with "
            f"{command}, or name your own by tls_certificate and tls_key"
        ]
    ca = _text(folder / CA, "tls")
    trusted = certificates.read_chain(ca, str(folder / CA))
    wrong, texts = [], {}
    names = {SERVER: asked_names(cloud)} | {host_file(node.name): host_names(node) for node in cloud.proxies}
    for file, wanted in names.items():
        place = folder / file
        content = _text(place, "tls")
        _private(place, "tls")
        start = content.find("-----BEGIN PRIVATE KEY")
        texts[file], found = _pair(content, content[max(start, 0) :], str(place), wanted, trusted, now)
        wrong += found
    if wrong:
        wrong.append(f"what ended, or is for other names, is made anew by: {command}")
    hosts = {node.name: texts[host_file(node.name)] for node in cloud.proxies}
    return Certificates(server=texts[SERVER], hosts=hosts, ca=ca), wrong
