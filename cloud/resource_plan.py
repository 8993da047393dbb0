"""From what is there to what is declared: the smallest list of steps. Pure.

Nothing is ever deleted here, and what can't be changed in place is a problem for a person (design rule 9).
All references are checked, and all quotas counted, before the first step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloud import identity
from cloud import resource_compute as compute
from cloud import resource_images as images
from cloud import resource_networks as networks
from cloud import resource_volumes as volumes
from cloud.resource_files import Files
from cloud.resource_steps import Book, State, Step, ref
from cloud.resources import QUOTAS, Image, Resources


def plan(state: State, resources: Resources, files: Files) -> list[Step]:
    """What must be done, in this order.

    Args:
        state: what is there.
        resources: what must be there.
        files: their files' contents.

    Raises:
        ValueError: a line for each problem; nothing must be done then.
    """
    book = Book(state, resources, files)
    check_projects(book)
    steps = [
        *quotas(book),
        *compute.flavors(book),
        *volumes.volume_types(book),
        *images.images(book),
        *compute.keypairs(book),
        *networks.security_groups(book),
        *networks.networks(book),
        *networks.routers(book),
        *networks.ports(book),
        *volumes.volumes(book),
        *compute.instances(book),
        *networks.floating_ips(book),
    ]
    check_quotas(book)
    if book.problems:
        raise ValueError("\n".join(dict.fromkeys(book.problems)))
    return steps


def questions(resources: Resources) -> dict[str, list[str]]:
    """What the state must tell beyond the lists that it always has."""
    projects = [item.project for item in (*resources.owned, *resources.quotas)]
    return {
        "quotas": sorted(set(projects)),
        "key_users": sorted({user for pair in resources.keypairs for user in pair.users}),
        "shared_images": [image.name for image in resources.images if image.members],
    }


def identities(resources: Resources, secrets: dict[str, str]) -> dict[str, Any]:
    """The arguments of ``cloud.identity.plan``.

    The administrator gets the role admin in each project with instances or volumes: nova and cinder make
    things only in the project one is logged in to.
    """
    admin = identity.User("admin", secrets["admin_password"], {name: ["admin"] for name in resources.acting})
    return {
        "projects": [identity.Project(project.name, project.description) for project in resources.projects],
        "roles": resources.roles,
        "users": [
            admin,
            *(
                identity.User(user.name, secrets.get(f"user_{user.name}_password", ""), user.roles)
                for user in resources.users
            ),
        ],
    }


def needs_identities(state: State, resources: Resources) -> bool:
    """Whether keystone must be looked at more closely."""
    declared = resources.projects or resources.roles or resources.users
    return bool(declared or set(resources.acting) - set(state["acting"]))


def missing_passwords(resources: Resources, secrets: dict[str, str]) -> list[str]:
    """A line for each declared user without a password."""
    return [
        f"user {user.name}: secrets.toml needs user_{user.name}_password"
        for user in resources.users
        if f"user_{user.name}_password" not in secrets
    ]


def check_projects(book: Book) -> None:
    """Every project and user that is named is there, or declared."""
    known = {*book.state["projects"], *(project.name for project in book.resources.projects)}
    for item in (*book.resources.owned, *book.resources.quotas):
        project = item.owner if isinstance(item, Image) else item.project
        if project not in known:
            what = f"{type(item).__name__.lower()} {getattr(item, 'name', '')}".strip()
            book.problems.append(f"{what}: no such project: {project}")
    given = [(f"flavor {flavor.name}", flavor.projects) for flavor in book.resources.flavors]
    given += [(f"image {image.name}", image.members) for image in book.resources.images]
    for what, projects in given:
        book.problems += [f"{what}: no such project: {name}" for name in projects if name not in known]
    users = {*book.state["users"], *(user.name for user in book.resources.users)}
    for pair in book.resources.keypairs:
        for user in pair.users:
            if user not in users:
                book.problems.append(f"keypair {pair.name}: no such user: {user}")


def quotas(book: Book) -> Iterable[Step]:
    """The limits that differ."""
    for quota in book.resources.quotas:
        now = book.state["quotas"].get(quota.project, {})
        for service, names in QUOTAS.items():
            new = {
                name: limit
                for name, limit in quota.limits.items()
                if name in names and now.get(name, [None])[0] != limit
            }
            if not new:
                continue
            words = ", ".join(f"{name} {limit}" for name, limit in new.items())
            root, envelope = (
                ("/quotas/", "quota") if service == "network" else ("/os-quota-sets/", "quota_set")
            )
            yield Step(
                f"set the quota of project {quota.project}: {words}",
                service,
                "PUT",
                [root, ref("project", quota.project)],
                {envelope: new},
            )


def check_quotas(book: Book) -> None:
    """What is new must fit, or nothing is begun."""
    declared = {quota.project: quota.limits for quota in book.resources.quotas}
    for project, uses in book.uses.items():
        for name, amount in uses.items():
            now, used = book.state["quotas"].get(project, {}).get(name, [-1, 0])
            limit = declared.get(project, {}).get(name, now)
            if amount and 0 <= limit < used + amount:
                # The words of nova's API.
                book.problems.append(
                    f"project {project}: Quota exceeded for {name}: Requested {amount}, but already used "
                    f"{used} of {limit}"
                )
