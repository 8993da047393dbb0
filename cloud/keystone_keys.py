"""Keystone's key repositories on several controllers: who makes the keys, who copies whose, what is removed.

In a repository the key 0 is staged, the highest number is the primary one, which signs or encrypts, and all
are tried on what comes back. A rotation gives the staged key the next number, and stages a new one; so the
next primary key is known to everybody before anybody signs with it, where all are in step before a rotation.

keystone reads the files for each token and each credential and keeps nothing (``TokenFormatter.crypto`` in
``keystone/token/token_formatters.py``, ``Provider`` in ``keystone/credential/providers/fernet/core.py``; both
call ``FernetUtils.load_keys``): new keys need no restart.

Sources: docs.openstack.org/keystone, "Fernet - Frequently Asked Questions" and "Credential Encryption";
``keystone/common/fernet_utils.py``; the format of a key: github.com/fernet/spec.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

Repository = Literal["fernet", "credential"]

FOLDERS: dict[Repository, str] = {
    "fernet": "/etc/keystone/fernet-keys",
    "credential": "/etc/keystone/credential-keys",
}
STAGED = "0"
# Seconds that a request may take, from reading the keys to what it makes with them; far more than any does.
SPARE = 3600

# What operations/remote/keystone_keys.py answers to "look" on a controller.
Answer = Mapping[str, Any]
# What it answers to "fetch": name -> (content, modified at, in nanoseconds).
Keys = Mapping[str, tuple[str, int]]

LOSES = {
    "fernet": "tokens that only these keys verify end, so users log in again",
    "credential": "credentials that only these keys decrypt are lost for good, so keep a copy",
}


class Refusal(ValueError):
    """What stands in the way, and what to do about it."""


@dataclass(frozen=True)
class Plan:
    """How the controllers of a run come in step.

    Attributes:
        source: the controller whose keys count.
        behind: those that are to be written, also the source where its own are to be mended.
        mend: whether a new staged key is due: a rotation was killed before it had made one.
    """

    source: str
    behind: list[str]
    mend: bool = False


def plan(repository: Repository, controllers: Sequence[str], answers: Mapping[str, Answer]) -> Plan | None:
    """Whose keys go to whom; None where nobody has any and the first controller is to make them.

    Of several, those with the newest primary key count: every other one knows it already, as its staged key.
    Of these one whose staged key is written counts before one that was killed before that; then the one with
    more keys, as a key too many harms nobody; then the first in the inventory.

    Args:
        repository: which one.
        controllers: all of the inventory, in its order.
        answers: controller -> what it answered in this run.

    Raises:
        Refusal: keys may exist where nobody could ask, or what a controller signs with would be lost.
    """
    asked = {name: answers[name][repository] for name in controllers if name in answers}
    unknown = [name for name in controllers if name not in answers]
    ready = [name for name in asked if _made(asked[name])]
    if not ready:
        if unknown:
            raise Refusal(
                f"no controller of this run has {repository} keys, and {', '.join(unknown)} could not be "
                "asked: new keys would lock out what was made with those there. Bring it back and run this "
                "without --limit; a controller that never comes back leaves the inventory"
            )
        return None
    source = max(ready, key=lambda name: _rank(asked[name]))  # the first of equals
    for name in ready:
        _same_history(repository, source, name, asked)
    # Another one, outside this run, may have the staged key that is missing here.
    mend = not _whole(asked[source]) and not unknown
    behind = [
        name
        for name in asked
        if mend or asked[name]["wrong"] or _digests(asked[name]) != _digests(asked[source])
    ]
    return Plan(source, behind, mend)


def apart(repository: Repository, answers: Mapping[str, Answer]) -> list[str]:
    """The controllers whose keys are not those that count; all of them where nobody has any.

    Args:
        repository: which one.
        answers: controller -> what it answered.
    """
    asked = {name: answer[repository] for name, answer in answers.items()}
    ready = [name for name in asked if _made(asked[name])]
    if not ready:
        return list(asked)
    best = max(ready, key=lambda name: _rank(asked[name]))
    return [name for name in asked if _digests(asked[name]) != _digests(asked[best])]


def ready_to_rotate(
    repository: Repository, controllers: Sequence[str], answers: Mapping[str, Answer]
) -> None:
    """Refuse a rotation unless every controller knows the staged key, which is the next primary one.

    Raises:
        Refusal: one could not be asked, or is not in step.
    """
    if unknown := [name for name in controllers if name not in answers]:
        raise Refusal(
            f"keys are rotated on all controllers or on none, and {', '.join(unknown)} could not be asked: "
            "it would refuse what the others sign. Bring it back and run this without --limit; a controller "
            "that never comes back leaves the inventory"
        )
    asked = {name: answers[name] for name in controllers}
    if late := apart(repository, asked):
        raise Refusal(
            f"the {repository} keys of {', '.join(late)} are not those of the others: "
            "run tasks/keystone.py first, whose message says why"
        )


def outlived(repository: Repository, answers: Mapping[str, Answer]) -> list[str]:
    """The names of the keys that nothing alive was made with.

    A key stops signing on a controller when its successor comes under its number there. It goes when that is
    longer ago, on every controller, than what it signed can live. ``age`` is that of the file under its name
    (its ctime) by the controller's own clock: one that was written late, as it was down or the run was
    killed, has signed with the old key until then, which the keys' own dates would not tell. Whatever else
    changes a ctime only makes a key stay longer.

    Credentials live forever: they are encrypted with the primary key again before each rotation, and only
    what a request was just writing then needs the older ones.

    Args:
        repository: which one.
        answers: controller -> what it answered; all in step.
    """
    gone = []
    for answer in answers.values():
        life = SPARE + (answer["lifetime"] if repository == "fernet" else 0)
        keys = answer[repository]["keys"]
        numbers = _numbers(keys)
        gone.append(
            {str(number) for number, successor in pairwise(numbers) if keys[str(successor)]["age"] > life}
        )
    return sorted(set.intersection(*gone), key=int) if gone else []


def rotated(keys: Keys, new: str, now: int, drop: Sequence[str] = ()) -> dict[str, tuple[str, int]]:
    """The repository after a rotation.

    ``keystone-manage fernet_rotate`` does the same, but removes all keys beyond ``max_active_keys``, whatever
    they signed, and killed between its two renames it leaves no staged key, without which it can't run again.

    Args:
        keys: the repository; it has a staged key.
        new: the new staged key.
        now: its date, in nanoseconds.
        drop: the names of the keys that go.
    """
    primary = str(_numbers(keys)[-1] + 1)
    kept = {name: key for name, key in keys.items() if name not in drop}
    return {**kept, primary: keys[STAGED], STAGED: (new, now)}


def mended(keys: Keys, new: str, now: int) -> dict[str, tuple[str, int]]:
    """The repository with a new staged key, where a rotation ended before it had made one."""
    return {**keys, STAGED: (new, now)}


def new_key() -> str:
    """A Fernet key: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _numbers(keys: Mapping[str, Any]) -> list[int]:
    """The numbers of those that signed or sign, oldest first."""
    return sorted(int(name) for name in keys if name != STAGED)


def _made(found: Answer) -> bool:
    """Whether there is a primary key. A setup that was killed leaves 0 alone, with which nothing was made."""
    return bool(_numbers(found["keys"]))


def _digests(found: Answer) -> dict[str, str]:
    return {name: key["sha256"] for name, key in found["keys"].items()}


def _whole(found: Answer) -> bool:
    """Whether the staged key is there and new: between a rotation's two steps it is the primary one, too."""
    digests = _digests(found)
    return list(digests.values()).count(digests.get(STAGED, "")) == 1


def _rank(found: Answer) -> tuple[int, bool, int]:
    return _numbers(found["keys"])[-1], _whole(found), len(found["keys"])


def _same_history(repository: Repository, source: str, name: str, asked: Mapping[str, Answer]) -> None:
    """Refuse to take from a controller the key that it signs with."""
    primary = str(_numbers(asked[name]["keys"])[-1])
    if _digests(asked[name])[primary] == _digests(asked[source]).get(primary):
        return
    raise Refusal(
        f"{source} and {name} have different {repository} keys: key {primary}, the newest of {name}, is not "
        f"key {primary} of {source}. Nothing was changed. Which ones count, only you know: on the other host "
        f"move {FOLDERS[repository]} away ({LOSES[repository]}), and run this again"
    )
