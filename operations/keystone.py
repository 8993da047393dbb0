"""Keystone's one-time steps, each guarded by what keystone itself says."""

from __future__ import annotations

from typing import Any, Literal

from pyinfra import host, state
from pyinfra.api import QuoteString, StringCommand, operation

from facts.keystone import Keys
from facts.program import ask
from facts.reading import Unreadable, read
from operations.failure import fail


@operation()
def keys(repository: Literal["fernet", "credential"]):
    """Create a key repository. Existing keys are never replaced: what was made with them would be lost.

    Args:
        repository: ``fernet`` signs tokens, ``credential`` encrypts stored credentials.
    """
    found = read(Keys, directory=f"/etc/keystone/{repository}-keys")
    owner = "--keystone-user keystone --keystone-group keystone"
    if isinstance(found, Unreadable):
        yield fail(f"keystone's {repository} keys can't be listed: {found.reason}")
    elif not found:
        yield f"keystone-manage {repository}_setup {owner}"
    elif found == ["0"]:
        # A setup that was killed between its two keys: run again it finds a key and does nothing. The
        # rotation makes the staged key the primary one, and a new staged key.
        yield f"keystone-manage {repository}_rotate {owner}"
    else:
        host.noop(f"{len(found)} keys are there")


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
