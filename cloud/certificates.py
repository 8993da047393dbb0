"""Certificates: made, read and judged. Pure; times are given, so that a test can choose them.

A certificate and its key are one file, as haproxy reads them: two files could be of two different pairs when
a run is killed between them.

Source: RFC 5280 for the fields; Python 3.13 and OpenSSL refuse a CA without a critical basicConstraints and
keyUsage, and a certificate without the identifier of its issuer's key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes, PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_DAYS = 3652
# Browsers refuse more of a certificate that a person did not import: 398 since September 2020.
SERVER_DAYS = 397
# Days before its end at which a certificate is renewed, and at which verify warns.
RENEW_DAYS = 30
# A clock that is behind must not find a new certificate to be not valid yet.
EARLIER = timedelta(hours=1)


@dataclass(frozen=True)
class Certificates:
    """What this cloud shows and trusts, as PEM.

    Attributes:
        server: chain and key, for every public and internal name. Out of ``repr``.
        hosts: host -> chain and key for its own names; none with the operator's own certificate.
        ca: the certificates that clients must be told to trust; None: their systems do already.
    """

    server: str = field(repr=False)
    hosts: dict[str, str] = field(repr=False, default_factory=dict)
    ca: str | None = None


class Unusable(ValueError):
    """A file that holds no such thing; the message says what was found."""


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key on the curve P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def key_text(key: ec.EllipticCurvePrivateKey) -> str:
    """A key as PEM, not encrypted: haproxy starts without a person."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def text(certificate: x509.Certificate) -> str:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _name(organization: str, common: str) -> x509.Name:
    # X.520 allows 64 characters.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:64]),
        ]
    )


def _usage(**true: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in true for name in names})


def _builder(subject, issuer, key, now: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now - EARLIER + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def make_root(key: ec.EllipticCurvePrivateKey, organization: str, now: datetime) -> x509.Certificate:
    """A CA that signs servers only, and no other CA.

    Args:
        key: its key.
        organization: the cloud's name.
        now: the present, with its time zone.
    """
    name, public = _name(organization, f"{organization} root CA"), key.public_key()
    return (
        _builder(name, name, public, now, ROOT_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def make_server(
    names: Iterable[str],
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    organization: str,
    now: datetime,
) -> str:
    """A server's certificate and its new key, as PEM.

    Args:
        names: its names and addresses.
        root, root_key: the CA.
        organization: the cloud's name.
        now: the present, with its time zone.
    """
    key, listed = new_key(), list(names)
    days = min(SERVER_DAYS, (root.not_valid_after_utc - now).days)
    certificate = (
        _builder(_name(organization, listed[0]), root.subject, key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in listed]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )
    return text(certificate) + key_text(key)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def read_chain(pem: str, where: str) -> list[x509.Certificate]:
    """The certificates in a file, in its order.

    Args:
        pem: the file's text.
        where: what to call it.

    Raises:
        Unusable: there is none, or one is broken.
    """
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise Unusable(f"{where} has no certificate in PEM (BEGIN CERTIFICATE): {error}") from None


def read_key(pem: str, where: str) -> PrivateKeyTypes:
    """The key in a file.

    Args:
        pem: the file's text.
        where: what to call it.

    Raises:
        Unusable: there is none, it is encrypted, or broken.
    """
    begin = pem.find("-----BEGIN", 0)
    while begin >= 0 and "PRIVATE KEY" not in pem[begin : pem.find("\n", begin)]:
        begin = pem.find("-----BEGIN", begin + 1)
    if begin < 0:
        raise Unusable(f"{where} has no key in PEM (BEGIN PRIVATE KEY)")
    try:
        return serialization.load_pem_private_key(pem[begin:].encode(), None)
    except TypeError:
        raise Unusable(
            f"{where}: the key is encrypted, and haproxy starts without a person: write it without a "
            "password (openssl pkey -in FILE -out NEW_FILE)"
        ) from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unusable(f"{where}: the key can't be read: {error}") from None


def names_of(certificate: x509.Certificate) -> list[str]:
    """The names and addresses that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return found.get_values_for_type(x509.DNSName) + [
        str(address) for address in found.get_values_for_type(x509.IPAddress)
    ]


def covers(certificate: x509.Certificate, name: str) -> bool:
    """Whether a certificate is for a name or an address. A wildcard stands for one label, and no address."""
    wanted = name.lower().rstrip(".")
    for listed in (listed.lower() for listed in names_of(certificate)):
        if listed == wanted:
            return True
        _, dot, rest = wanted.partition(".")
        if (
            listed.startswith("*.")
            and dot
            and isinstance(_general(wanted), x509.DNSName)
            and listed[2:] == rest
        ):
            return True
    return False


def days_left(certificate: x509.Certificate, now: datetime) -> float:
    """Days until a certificate ends; negative afterwards."""
    return (certificate.not_valid_after_utc - now) / timedelta(days=1)


def _public(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def problems(
    chain: list[x509.Certificate],
    key: PrivateKeyTypes,
    names: Iterable[str],
    trusted: list[x509.Certificate] | None,
    now: datetime,
) -> list[str]:
    """What is wrong with a server's certificate, a line each.

    Args:
        chain: the server's certificate, then those that lead to a CA, in their order.
        key: of the first one.
        names: what clients ask for.
        trusted: the CAs they trust; None: those of their systems, which are not known here.
        now: the present.
    """
    found, server = [], chain[0]
    if _public(server.public_key()) != _public(key.public_key()):
        found.append("the key is not this certificate's: they must be a pair")
    lacking = [name for name in dict.fromkeys(names) if not covers(server, name)]
    if lacking:
        found.append(
            f"it is for {', '.join(names_of(server)) or 'no name'}, and not for {', '.join(lacking)}"
        )
    for certificate in chain:
        subject = certificate.subject.rfc4514_string()
        if certificate.not_valid_before_utc > now:
            found.append(f"{subject} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}")
        if days_left(certificate, now) <= 0:
            found.append(f"{subject} expired on {certificate.not_valid_after_utc:%Y-%m-%d}: renew it")
    for certificate, issuer in pairwise(chain):
        if not _issued(certificate, issuer):
            found.append(
                f"{certificate.subject.rfc4514_string()} is not signed by the next certificate in the file, "
                f"{issuer.subject.rfc4514_string()}: they must be in order, the server's first"
            )
    if trusted is None:
        return found
    found += [
        f"the CA {ca.subject.rfc4514_string()} expired on {ca.not_valid_after_utc:%Y-%m-%d}"
        for ca in trusted
        if days_left(ca, now) <= 0
    ]
    last = chain[-1]
    if not any(last == ca or (_is_ca(ca) and _issued(last, ca)) for ca in trusted):
        found.append(
            f"{last.subject.rfc4514_string()} is signed by {last.issuer.rfc4514_string()}, which is not "
            f"among the trusted: {', '.join(ca.subject.rfc4514_string() for ca in trusted)}"
        )
    return found
