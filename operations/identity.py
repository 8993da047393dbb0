"""Projects, roles, users, and the service catalog in keystone.

One process on the first controller reads all of it, and one more writes all that is missing, where the
``openstack`` command would take seconds for each (design rule 7).
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from pyinfra import host, logger, state
from pyinfra.api import FunctionCommand, Host, operation
from pyinfra.context import ctx_host

from cloud.identity import Project, Service, State, User, describe, plan
from facts.program import ask
from facts.reading import Unreadable
from operations.failure import fail

PROGRAM = "sdk_identity"

# Host -> (was the run executing, keystone's state). Only this run changes keystone while it lasts, and each
# write answers with the new state: the tasks of all services share one read. What was read while the plan
# was made is not used for the execution: an operator may take an hour to confirm it.
_known: WeakKeyDictionary[Host, tuple[bool, State]] = WeakKeyDictionary()


@operation()
def present(
    admin: dict[str, str],
    projects: list[Project] | None = None,
    roles: list[str] | None = None,
    users: list[User] | None = None,
    services: list[Service] | None = None,
    known_users: list[User] | None = None,
    timeout: int = 60,
):
    """Make projects, roles, users with their passwords and roles, and catalog entries, as far as they differ.

    Nothing is ever deleted. A duplicate that someone left is an error, with what to do about it. Give it a
    ``name``: pyinfra prints the arguments of an unnamed operation.

    Args:
        admin: the administrator's credentials: auth_url (ending in /v3), username, password, project_name,
            user_domain_name, project_domain_name, region_name, and maybe cacert, a path on the host.
        projects: by name, in the administrator's domain; their other attributes are kept.
        roles: names of roles.
        users: with passwords, each tried by a login, and roles. Their other roles are kept.
        services: catalog entries, with their endpoints.
        known_users: all users of the cloud, whose passwords are tried in the first read, so that later
            calls for them need none. They may not exist yet; they are not changed.
        timeout: seconds keystone may take to start answering. While the plan is made it is asked once.

    **Example:**

    .. code:: python

        identity.present(
            name="Register glance",
            admin=cloud.admin_credentials,
            users=[User("glance", glance.password, roles={"service": ["admin", "service"]})],
            services=[Service("glance", "image", "OpenStack Image", "RegionOne", {"public": url})],
        )
    """
    wanted = {
        "projects": projects or [],
        "roles": roles or [],
        "users": users or [],
        "services": services or [],
    }
    found = _read(admin, wanted["users"], known_users or [], timeout if state.is_executing else 0)
    if isinstance(found, Unreadable):
        yield fail(f"what is registered can't be read: {found.reason}")
        return
    try:
        actions = plan(found, **wanted)
    except ValueError as problem:
        yield fail(str(problem))
        return
    if not actions:
        host.noop("all of it is registered")
        return
    changes = [describe(action) for action in actions]
    if state.config.DIFF:
        for change in changes:
            logger.info(f"{host.print_prefix}Will {change}")

    touched = {action["name"] for action in actions if action["do"].endswith(" user")}

    # Secrets are in this function's closure: pyinfra may print a command's arguments.
    def register(state, host, changes: list[str]) -> bool:
        _known.pop(ctx_host.get(), None)
        answer = ask(
            PROGRAM,
            admin=admin,
            timeout=timeout,
            actions=[{**action, "what": change} for action, change in zip(actions, changes, strict=True)],
            passwords={user.name: user.password for user in wanted["users"] if user.name in touched},
        )
        if isinstance(answer, Unreadable):
            logger.error(f"{host.print_prefix}{answer.reason}")
            return False
        if state.print_output:
            for change in changes:
                logger.info(f"{host.print_prefix}{change}")
        answer["passwords"] = {**found["passwords"], **answer["passwords"]}
        if left := plan(answer, **wanted):
            words = "; ".join(describe(action) for action in left)
            logger.error(
                f"{host.print_prefix}keystone accepted all changes, but there is still to do: {words}"
            )
            return False
        _known[ctx_host.get()] = (state.is_executing, answer)
        return True

    yield FunctionCommand(register, (changes,), {})


def _read(
    admin: dict[str, str], users: list[User], known_users: list[User], timeout: int
) -> State | Unreadable:
    """keystone's state: what is known of it when that tells about all of ``users``, else read anew."""
    phase, found = _known.get(ctx_host.get(), (None, None))
    if found and phase == state.is_executing:
        unchecked = {user.name for user in users} & set(found["users"]) - set(found["passwords"])
        if not unchecked:
            return found
    passwords = {user.name: user.password for user in (*known_users, *users)}
    found = ask(PROGRAM, admin=admin, timeout=timeout, actions=[], passwords=passwords)
    if not isinstance(found, Unreadable):
        _known[ctx_host.get()] = (state.is_executing, found)
    return found
