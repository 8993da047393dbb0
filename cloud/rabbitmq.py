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


def node_name(host: str) -> str:
    """What a host's server is called."""
    return f"rabbit@{host}"


def serves(member: Mapping[str, Any]) -> bool:
    """Whether a member's server runs, by its own answer (see operations/remote/rabbitmq_member.py)."""
    return bool(member["members"]) and bool(member["running"])


def core(members: Sequence[str], answers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The hosts that are the cluster: the largest number of members that run and see one another.

    Of equal ones the one with the first member.

    Args:
        members: the hosts of all members, in the inventory's order.
        answers: host -> its answer.
    """
    groups = []
    for name in members:
        if name in answers and serves(answers[name]):
            seen = set(answers[name]["running"])
            mutual = [
                other
                for other in members
                if other in answers
                and node_name(other) in seen
                and node_name(name) in answers[other]["running"]
            ]
            groups.append(mutual or [name])
    return max(groups, key=len, default=[])


def whole(member: Mapping[str, Any], members: Sequence[str]) -> bool:
    """Whether a member runs in a cluster of exactly these hosts, and all of them run."""
    wanted = sorted(map(node_name, members))
    return member["members"] == wanted and member["running"] == wanted and not member["partitions"]
