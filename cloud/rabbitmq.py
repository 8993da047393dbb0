"""RabbitMQ's definitions: hashes of passwords, and what is missing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from typing import Any

ALGORITHM = "rabbit_password_hashing_sha256"


def password_hash(password: str, salt: bytes = b"") -> str:
    """RabbitMQ's hash of a password: base64 of a salt of 4 bytes and SHA-256 of salt and password.

    Source: https://www.rabbitmq.com/docs/passwords#computing-password-hash

    Args:
        password: the password.
        salt: 4 bytes; random ones without it.
    """
    salt = salt or os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def matches(password: str, user: Mapping[str, Any]) -> bool:
    """Whether a user's definition has this password. One hashed in another way counts as wrong."""
    hashed = user.get("password_hash") or ""
    if user.get("hashing_algorithm") != ALGORITHM:
        return False
    return hmac.compare_digest(hashed, password_hash(password, base64.b64decode(hashed)[:4]))


def missing(
    found: Mapping[str, Any],
    user: str,
    password: str,
    vhost: str,
    tags: Sequence[str],
    permissions: Sequence[str],
) -> dict[str, Any]:
    """The definitions to import: none when all is as wanted.

    Args:
        found: RabbitMQ's definitions.
        user, password, vhost: what there must be.
        tags: the user's tags.
        permissions: three regular expressions: configure, write, read.
    """
    definitions: dict[str, Any] = {}
    if vhost not in (known["name"] for known in found["vhosts"]):
        definitions["vhosts"] = [{"name": vhost}]
    present = next((known for known in found["users"] if known["name"] == user), None)
    if not present or not matches(password, present) or _tags(present["tags"]) != sorted(tags):
        definitions["users"] = [
            {
                "name": user,
                "password_hash": password_hash(password),
                "hashing_algorithm": ALGORITHM,
                "tags": list(tags),
            }
        ]
    keys = ("configure", "write", "read")
    permission = {"user": user, "vhost": vhost, **dict(zip(keys, permissions, strict=True))}
    if permission not in found["permissions"]:
        definitions["permissions"] = [permission]
    return definitions


def _tags(tags: str | list[str]) -> list[str]:
    """RabbitMQ before 3.9 has them as one text, with commas."""
    return sorted(tags.split(",") if isinstance(tags, str) and tags else tags)
