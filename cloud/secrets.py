"""Every secret of the cloud, in one file: ``secrets.toml`` next to the inventory, mode 0600.

``python -m cloud.secrets [INVENTORY]`` writes it; ``--add`` adds only what is missing; ``--release`` is
for an old release, which has other ones.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import secrets as random
import sys
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from cloud.releases import BY_AGE, Release

FILE_NAME = "secrets.toml"
MINIMUM_LENGTH = 12
GENERATED_BYTES = 24

# Name -> what it is for; the order is the file's.
NAMES: dict[str, str] = {
    "admin_password": "the user admin",
    "demo_password": "the user demo",
    "rabbitmq_password": "the user openstack in RabbitMQ",
    "metadata_proxy_secret": "shared by nova and neutron's metadata agents",
    "horizon_secret_key": "signs Horizon's sessions",
    "memcache_secret_key": "encrypts the tokens that services keep in memcached",
    **{
        f"{service}_{kind}_password": f"{service}'s {kind} user"
        for service in ("keystone", "glance", "placement", "nova", "neutron", "cinder")
        for kind in ("database", "service")
        if (service, kind) != ("keystone", "service")
    },
}

# Of clouds that have more than one of something only.
PARTS = {
    "balancers": {
        "haproxy_stats_password": "the user admin of haproxy's statistics",
        "keepalived_password": "between load balancers; VRRP sends its first 8 characters in clear",
    },
    "clusters": {"rabbitmq_erlang_cookie": "by which the members of RabbitMQ's cluster know one another"},
}

# Of old releases only.
OLD_NAMES = {"keystone_admin_token": "keystone.conf's admin_token, which makes the first administrator"}

KNOWN = {**NAMES, **PARTS["balancers"], **PARTS["clusters"], **OLD_NAMES}

# user_NAME_password is the password of a declared user (``resources``), written by the operator.
DECLARED_USER = re.compile(r"user_.+_password")

# An answer for packstack, under its own name, written by the operator (``packstack_answers``).
ANSWER = re.compile(r"CONFIG_[A-Z0-9_]+")

# Secrets stand in URLs (transport_url, connection), in INI files where "$" is oslo.config's reference sign
# and "%" Python's, in shell files and in SQL. These characters mean nothing in any of them.
ALLOWED = re.compile(r"[A-Za-z0-9._~-]+")
WORDS = (
    "password",
    "passw0rd",
    "secret",
    "changeme",
    "change_me",
    "openstack",
    "admin",
    "123456",
    "qwerty",
    "letmein",
)


def answers(values: Mapping[str, str]) -> dict[str, str]:
    """The answers for packstack among the secrets."""
    return {name: value for name, value in values.items() if ANSWER.fullmatch(name)}


def path_for(inventory: str | Path) -> Path:
    """Where the secrets of this inventory lie."""
    return Path(inventory).resolve().parent / FILE_NAME


def usable(name: str, value: object) -> bool:
    """Whether a secret can be written where it goes; an answer goes into packstack's file only."""
    return isinstance(value, str) and bool(value and (ANSWER.fullmatch(name) or ALLOWED.fullmatch(value)))


def weakness(name: str, value: object) -> str | None:
    """Why ``value`` is no secret, without saying it; None when it will do."""
    if not isinstance(value, str) or not value:
        return "is empty or no text"
    if not usable(name, value):
        return "holds a character other than letters, digits and . _ ~ -"
    if len(value) < MINIMUM_LENGTH:
        return f"is shorter than {MINIMUM_LENGTH} characters"
    lowered = value.lower()
    if any(word in lowered for word in WORDS) or name.split("_")[0] in lowered:
        return "looks like a default (a common word, or its own name)"
    counts = Counter(value)
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    if entropy < 2.5:
        return "repeats itself"
    return None


def names_for(release: Release, volumes: bool = True, parts: Collection[str] = ()) -> list[str]:
    """The secrets that a cloud of this release has, with or without hosts for volumes, with these PARTS."""
    names = [*NAMES, *_of(parts), *OLD_NAMES]
    for feature, secret in (
        ("admin_token", "keystone_admin_token"),
        ("service_tokens", "memcache_secret_key"),
        ("placement_service", "placement_database_password"),
        ("placement", "placement_service_password"),
    ):
        if not release.has(feature):
            names.remove(secret)
    return [name for name in names if volumes or not name.startswith("cinder_")]


def problems(
    values: dict[str, object],
    *,
    allow_weak: bool = False,
    release: Release | None = None,
    volumes: bool = True,
    parts: Collection[str] = (),
    packstack: bool = False,
) -> list[str]:
    """What is wrong with a set of secrets, a line each, never showing one.

    Args:
        values: the file's.
        allow_weak: known and short ones will do.
        release: for which they must be complete; None: the newest.
        volumes: whether the cloud has hosts for volumes.
        parts: the :data:`PARTS` that the cloud has.
        packstack: it is packstack's, which makes all but what is in here.
    """
    found = []
    wanted = [] if packstack else names_for(release or Release(BY_AGE[-1]), volumes, parts)
    users = [name for name in values if DECLARED_USER.fullmatch(name) or ANSWER.fullmatch(name)]
    for name in (*wanted, *users):
        if name not in values:
            found.append(f"secret {name} is missing")
            continue
        value = values[name]
        reason = weakness(name, value)
        if reason and not (allow_weak and usable(name, value)):
            found.append(f"secret {name} {reason}")
    found += [f"unknown secret {name}" for name in values if name not in (*KNOWN, *users)]
    return found


def load(path: Path, *, allow_weak: bool = False) -> tuple[dict[str, str], list[str]]:
    """Read the file. Returns the secrets and what is wrong with the *file* (not with its contents).

    Args:
        path: the file.
        allow_weak: it holds what everybody knows, and may be readable for everybody.
    """
    help_text = f"write it with: python -m cloud.secrets {path.parent}/INVENTORY.py"
    if not path.exists():
        return {}, [f"{path} does not exist; {help_text}"]
    mode = path.stat().st_mode & 0o777
    if mode & 0o077 and not allow_weak:
        return {}, [f"{path} has mode {mode:04o}: others can read it; do: chmod 600 {path}"]
    try:
        return tomllib.loads(path.read_text()), []
    except tomllib.TOMLDecodeError as error:
        return {}, [f"{path} is no TOML: {error}"]


def fresh(name: str) -> str:
    """A new random secret. Once in 20 000 files one would hold a common word by chance: "123456" is hex."""
    while weakness(name, value := random.token_hex(GENERATED_BYTES)):
        pass
    return value


def generate(present: dict[str, str], release: Release | None = None, parts: Collection[str] = ()) -> str:
    """The file's text: what is present, and a new random secret for every name that is missing.

    Args:
        present: the secrets there are.
        release: which must be complete; None: any of today's.
        parts: the :data:`PARTS` that the cloud has.
    """
    lines = [
        "# The cloud's secrets. Keep this file (0600, out of git): a deploy with other ones changes them."
    ]
    for name, purpose in KNOWN.items():
        if name not in _wanted(release, parts) and name not in present:
            continue
        value = present.get(name) or fresh(name)
        lines += ["", f"# {purpose}", f'{name} = "{value}"']
    for name in present:
        if DECLARED_USER.fullmatch(name):
            # Quoted: a user's name may hold what a bare key of TOML may not.
            lines += ["", "# a declared user", f'"{name}" = "{present[name]}"']
        elif ANSWER.fullmatch(name):
            # JSON's text is TOML's, too.
            lines += [
                "",
                "# an answer for packstack",
                f"{name} = {json.dumps(present[name], ensure_ascii=False)}",
            ]
    return "\n".join(lines) + "\n"


def _of(parts: Collection[str]) -> list[str]:
    return [name for part in PARTS if part in parts for name in PARTS[part]]


def _wanted(release: Release | None, parts: Collection[str]) -> list[str]:
    """What a file has: for no release in particular, all but what only old ones know."""
    return names_for(release, parts=parts) if release else [*NAMES, *_of(parts)]


def parts_of(hosts: Iterable[Any]) -> list[str]:
    """The :data:`PARTS` that a cloud of these hosts, which have pyinfra's ``groups``, has."""
    count = Counter(group for host in hosts for group in host.groups)
    there = {
        "balancers": count["loadbalancer"] > 0,
        "clusters": (count["database"] or count["controller"]) > 1,
    }
    return [part for part in PARTS if there[part]]


def write(path: Path, text: str) -> None:
    """Write atomically, 0600 from the first byte."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m cloud.secrets", description=__doc__)
    parser.add_argument("inventory", nargs="?", default="inventory.py", help="default: inventory.py")
    parser.add_argument("--add", action="store_true", help="keep the file's secrets, add the missing ones")
    parser.add_argument("--release", choices=BY_AGE, help="of which release; default: any of today's")
    options = parser.parse_args(arguments)
    release = Release(options.release) if options.release else None
    inventory = Path(options.inventory)
    if not inventory.exists():
        print(f"no such inventory: {inventory}", file=sys.stderr)
        return 1
    path = path_for(inventory)
    present: dict[str, str] = {}
    if path.exists():
        if not options.add:
            print(f"{path} exists and is kept; --add adds what is missing in it", file=sys.stderr)
            return 1
        present, wrong = load(path)
        wrong += [line for line in problems(present, allow_weak=True) if "missing" not in line]
        if wrong:
            print("\n".join(wrong), file=sys.stderr)
            return 1
    # Here: it reads the inventory with pyinfra, and imports us.
    from cloud import render

    parts = parts_of(render.inventory_at(str(inventory)))
    missing = [name for name in _wanted(release, parts) if name not in present]
    if not missing:
        print(f"{path}: nothing is missing")
        return 0
    write(path, generate(present, release, parts))
    print(f"{path}: {len(missing)} secrets written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
