"""Keystone's one-time steps, each guarded by what keystone itself says; and its keys, the same everywhere.

Which keys the controllers have is known when the run is executed: `collect` asks all of them at once, and the
operations after it decide by these answers (see ``cloud/keystone_keys.py``). The keys themselves travel over
pyinfra's connections, on standard input and output, and are in the control machine's memory only.

Killed at any moment: the next run of the deploy, or of the rotation, takes the keys with the newest primary
one, which every other controller knows as its staged key, and brings the others in step. A rotation that had
not made its new staged key gets one. Credentials that were not yet encrypted again are encrypted before the
next rotation; until then the key that they need stays.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import QuoteString, StringCommand, operation

from cloud import keystone_keys
from cloud.keystone_keys import FOLDERS, Refusal, Repository
from facts.keystone import Keys
from facts.program import Program, ask, interpreter, text_of
from facts.reading import Unreadable, read
from operations.failure import fail

OWNER = "--keystone-user keystone --keystone-group keystone"
# As oslo.config reads them, the last one wins.
CONFIG = [
    "/usr/share/keystone/keystone-dist.conf",
    "/etc/keystone/keystone.conf",
    "/etc/keystone/keystone.conf.d",
]

# What the controllers answered in this run, and the keys that others lack, from the controller that has them.
answers: dict[str, dict[str, Any]] = {}
taken: dict[str, dict[str, tuple[str, int]]] = {}


def request() -> dict[str, Any]:
    """What the program ``keystone_keys`` is asked for a look at the current host's keys."""
    return {"do": "look", "folders": FOLDERS, "user": "keystone", "config": CONFIG}


def _look() -> dict[str, Any] | Unreadable:
    found = ask("keystone_keys", **request())
    if isinstance(found, Unreadable):
        answers.pop(host.name, None)
    else:
        answers[host.name] = found
    return found


def _fetch(repository: Repository) -> dict[str, tuple[str, int]] | Unreadable:
    found = ask("keystone_keys", do="fetch", folder=FOLDERS[repository])
    if isinstance(found, Unreadable):
        return found
    return {name: (text, modified) for name, (text, modified) in found.items()}


def _write(repository: Repository, wanted: keystone_keys.Keys) -> StringCommand:
    given = {"do": "write", "folder": FOLDERS[repository], "user": "keystone", "keys": dict(wanted)}
    return StringCommand(
        Program().command(program="keystone_keys", **interpreter()), _stdin=text_of("keystone_keys", given)
    )


@operation()
def collect():
    """Ask every controller for its keys' numbers and digests, for the next operations. Changes nothing."""
    taken.clear()
    if state.is_executing and isinstance(found := _look(), Unreadable):
        yield fail(f"keystone's keys on {host.name} can't be looked at: {found.reason}")
        return
    host.noop("asked")


@operation()
def keys(repository: Repository, controllers: Sequence[str] = ()):
    """Create a key repository. Existing keys are never replaced: what was made with them would be lost.

    Args:
        repository: ``fernet`` signs tokens, ``credential`` encrypts stored credentials.
        controllers: all of the inventory, if there are several; when one of them has keys, or could not be
            asked, no others are made.
    """
    if state.is_executing and len(controllers) > 1:
        try:
            plan = keystone_keys.plan(repository, controllers, answers)
        except Refusal as reason:
            yield fail(f"{reason}")
            return
        if plan:
            host.noop(f"{plan.source} has them")
            return
    found = read(Keys, directory=FOLDERS[repository])
    if isinstance(found, Unreadable):
        yield fail(f"keystone's {repository} keys can't be listed: {found.reason}")
    elif not found:
        yield f"keystone-manage {repository}_setup {OWNER}"
    elif found == ["0"]:
        # A setup that was killed between its two keys: run again it finds a key and does nothing. The
        # rotation makes the staged key the primary one, and a new staged key.
        yield f"keystone-manage {repository}_rotate {OWNER}"
    else:
        host.noop(f"{len(found)} keys are there")
        return
    if state.is_executing and controllers:
        _look()


@operation()
def take(controllers: Sequence[str]):
    """Read the keys that others lack from the controller that has them. Changes nothing.

    Args:
        controllers: all of the inventory, in its order.
    """
    if not state.is_executing:
        host.noop("known when the run is executed")
        return
    for repository in FOLDERS:
        try:
            plan = keystone_keys.plan(repository, controllers, answers)
        except Refusal as reason:
            yield fail(f"{reason}")
            return
        if plan is None:
            yield fail(
                f"no controller has {repository} keys: the first, {controllers[0]}, has made none, and its "
                "own message says why"
            )
            return
        if plan.source != host.name or not plan.behind:
            continue
        found = _fetch(repository)
        if isinstance(found, Unreadable):
            yield fail(f"keystone's {repository} keys can't be read: {found.reason}")
            return
        if plan.mend:
            found = keystone_keys.mended(found, keystone_keys.new_key(), time.time_ns())
        taken[repository] = found
    host.noop("read, where another controller lacks any")


@operation()
def distributed(repository: Repository, controllers: Sequence[str]):
    """Have the newest keys on this controller: names, contents, dates, owner and permissions.

    Args:
        repository: which one.
        controllers: all of the inventory, in its order.
    """
    if not state.is_executing:
        # What another controller has is known later; one that has no keys is sent some.
        found = read(Keys, directory=FOLDERS[repository])
        if host.name != controllers[0] and found in ([], ["0"]):
            yield _write(repository, {})
        else:
            host.noop("known when the run is executed")
        return
    try:
        plan = keystone_keys.plan(repository, controllers, answers)
    except Refusal as reason:
        yield fail(f"{reason}")
        return
    if plan is None or host.name not in plan.behind:
        host.noop("they are the newest")
    elif repository not in taken:
        yield fail(f"the {repository} keys of {plan.source} were not read: its own message says why")
    else:
        yield _write(repository, taken[repository])


@operation()
def encrypted():
    """Encrypt with the primary key what older ones encrypted: credentials, of all controllers."""
    yield f"keystone-manage credential_migrate {OWNER}"


@operation()
def rotated(repository: Repository, controllers: Sequence[str]):
    """Make the staged key the primary one, and a new staged key, on this host; all must be in step.

    No key goes that may have made something alive, see :func:`cloud.keystone_keys.outlived`.

    Args:
        repository: which one.
        controllers: all of the inventory, in its order.
    """
    if not state.is_executing:
        yield _write(repository, {})
        return
    try:
        keystone_keys.ready_to_rotate(repository, controllers, answers)
    except Refusal as reason:
        yield fail(f"{reason}")
        return
    found = _fetch(repository)
    if isinstance(found, Unreadable):
        yield fail(f"keystone's {repository} keys can't be read: {found.reason}")
        return
    drop = keystone_keys.outlived(repository, answers)
    yield _write(repository, keystone_keys.rotated(found, keystone_keys.new_key(), time.time_ns(), drop=drop))
    _look()
    if drop:
        logger.info(
            f"{host.print_prefix}Removed with it, as nothing alive was made with them: {', '.join(drop)}"
        )


@operation()
def in_step(controllers: Sequence[str]):
    """Fail unless every controller has the same keys. Changes nothing.

    Args:
        controllers: all of the inventory, in its order.
    """
    if state.is_executing:
        try:
            for repository in FOLDERS:
                keystone_keys.ready_to_rotate(repository, controllers, answers)
        except Refusal as reason:
            yield fail(f"{reason}")
            return
    host.noop("asked")


@operation()
def bootstrapped(admin: dict[str, Any], timeout: int = 60):
    """Make the first administrator, or give it back its password.

    The guard is a login: who can log in has user, password, project and role.

    Args:
        admin: the administrator's credentials.
        timeout: seconds to wait for keystone to answer, when the run is executed.
    """
    # While the plan is made keystone may not even be installed: nothing is waited for.
    found = ask("keystone_login", **admin, timeout=timeout if state.is_executing else 0)
    if isinstance(found, Unreadable):
        yield fail(f"keystone can't be asked: {found.reason}")
        return
    if found["login"]:
        host.noop(f"{admin['username']} can log in")
        return
    # From standard input: an argument or an exported variable of the shell could be read in ps. The
    # catalog entry is registered like every other service's.
    yield StringCommand(
        "read -r OS_BOOTSTRAP_PASSWORD && export OS_BOOTSTRAP_PASSWORD && keystone-manage bootstrap",
        "--bootstrap-username", QuoteString(admin["username"]),
        "--bootstrap-project-name", QuoteString(admin["project_name"]),
        _stdin=admin["password"],
    )  # fmt: skip
