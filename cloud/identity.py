"""What keystone must hold, and the smallest list of actions that gets it there. Pure.

Everything lives in keystone's Default domain and is known by its name; a service is known by its type, as
clients look it up. Nothing is ever deleted (design rule 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cloud.model import INTERFACES, Cloud

# What ``operations/remote/sdk_identity.py`` answers, and the actions it is given.
State = dict[str, Any]
Action = dict[str, Any]


@dataclass(frozen=True)
class Project:
    """A project. Without a description, whatever description it has is kept."""

    name: str
    description: str = ""


@dataclass(frozen=True)
class User:
    """A user who can log in.

    Attributes:
        name: the login name.
        password: out of ``repr``: pyinfra prints the arguments of an operation without a name.
        roles: project -> the roles the user has there. Other roles the user has are kept.
    """

    name: str
    password: str = field(repr=False)
    roles: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """A catalog entry.

    Attributes:
        name: "glance".
        type: "image": what clients look for. One service a type, or they may find the wrong one.
        description: for people.
        region: where the endpoints are; made when it is missing.
        endpoints: interface ("public", "internal", "admin") -> URL.
    """

    name: str
    type: str
    description: str
    region: str
    endpoints: dict[str, str]


def plan(
    state: State,
    projects: Sequence[Project] = (),
    roles: Sequence[str] = (),
    users: Sequence[User] = (),
    services: Sequence[Service] = (),
) -> list[Action]:
    """What must be done, in this order.

    An action is ``{"do": "create KIND" | "update KIND", "name": …, "values": {attribute: value}}``, with the
    ``type`` for a service and its endpoints, the ``interface`` for an endpoint, and the ``id`` of what is
    updated. Attributes have openstacksdk's names. A value may be a password: show an action with
    :func:`describe` only.

    Args:
        state: what is there. A user whose password was not checked is taken to have the right one.
        projects, roles, users, services: what must be there; roles by name.

    Raises:
        ValueError: what is there can't be brought to what is wanted without a person: a line for each case.
    """
    problems: list[str] = []
    actions = [
        *_regions(state, services),
        *({"do": "create role", "name": name, "values": {}} for name in roles if name not in state["roles"]),
        *_projects(state, projects),
        *_users(state, users),
        *_assignments(state, projects, roles, users, problems),
    ]
    for service in services:
        actions += _service(state, service, problems)
    if problems:
        raise ValueError("\n".join(problems))
    return actions


def _regions(state: State, services: Sequence[Service]) -> list[Action]:
    # keystone refuses an endpoint in a region it does not know.
    wanted = dict.fromkeys(service.region for service in services)
    return [{"do": "create region", "name": r, "values": {}} for r in wanted if r not in state["regions"]]


def _projects(state: State, projects: Sequence[Project]) -> list[Action]:
    actions = []
    for project in projects:
        wanted = {"description": project.description} if project.description else {}
        found = state["projects"].get(project.name)
        if found is None:
            actions.append({"do": "create project", "name": project.name, "values": wanted})
        else:
            actions += _update("project", project.name, found, {"is_enabled": True, **wanted})
    return actions


def _users(state: State, users: Sequence[User]) -> list[Action]:
    actions = []
    for user in users:
        found = state["users"].get(user.name)
        if found is None:
            actions.append({"do": "create user", "name": user.name, "values": {"password": user.password}})
            continue
        values = {} if found["is_enabled"] else {"is_enabled": True}
        # A disabled user can't log in with any password: it is set as well.
        if not state["passwords"].get(user.name, True):
            values["password"] = user.password
        if values:
            actions.append({"do": "update user", "name": user.name, "id": found["id"], "values": values})
    return actions


def _assignments(
    state: State,
    projects: Sequence[Project],
    roles: Sequence[str],
    users: Sequence[User],
    problems: list[str],
) -> list[Action]:
    known_projects = {*state["projects"], *(project.name for project in projects)}
    known_roles = {*state["roles"], *roles}
    there = {tuple(assignment) for assignment in state["assignments"]}
    actions = []
    for user in users:
        for project, names in user.roles.items():
            for role in names:
                if project not in known_projects or role not in known_roles:
                    kind, name = ("project", project) if project not in known_projects else ("role", role)
                    problems.append(
                        f"user {user.name} is to have the role {role} on {project}: no such {kind}: {name}"
                    )
                elif (role, user.name, project) not in there:
                    values = {"role": role, "project": project}
                    actions.append({"do": "create assignment", "name": user.name, "values": values})
    return actions


def _service(state: State, service: Service, problems: list[str]) -> list[Action]:
    matching = [found for found in state["services"] if found["type"] == service.type]
    if len(matching) > 1:
        problems.append(
            f"keystone has {len(matching)} services of type {service.type}: {_listed(matching, 'name')}; "
            "clients may take any of them. Look at each with: openstack endpoint list --service ID; keep the "
            "right one, and remove the others with: openstack service delete ID"
        )
        return []
    if not matching:
        values = {"description": service.description}
        create = {"do": "create service", "name": service.name, "type": service.type, "values": values}
        return [create, *(_create_endpoint(service, interface) for interface in service.endpoints)]
    found = matching[0]
    if found["name"] != service.name:
        problems.append(
            f"keystone has a service of type {service.type} with another name: {_listed(matching, 'name')}. "
            f"If it is this cloud's: openstack service set --name {service.name} {found['id']}; if not, "
            f"remove it with: openstack service delete {found['id']}"
        )
        return []
    wanted = {"is_enabled": True, "description": service.description}
    actions = _update("service", service.name, found, wanted, type=service.type)
    for interface, url in service.endpoints.items():
        there = [
            endpoint
            for endpoint in state["endpoints"]
            if (endpoint["service_id"], endpoint["interface"], endpoint["region_id"])
            == (found["id"], interface, service.region)
        ]
        if len(there) > 1:
            problems.append(
                f"keystone has {len(there)} {interface} endpoints of {service.name} in region "
                f"{service.region}: {_listed(there, 'url')}; keep one, and remove the others with: "
                "openstack endpoint delete ID"
            )
        elif not there:
            actions.append(_create_endpoint(service, interface))
        else:
            wanted = {"is_enabled": True, "url": url}
            actions += _update(
                "endpoint", service.name, there[0], wanted, type=service.type, interface=interface
            )
    return actions


def _create_endpoint(service: Service, interface: str) -> Action:
    return {
        "do": "create endpoint",
        "name": service.name,
        "type": service.type,
        "interface": interface,
        "values": {"region_id": service.region, "url": service.endpoints[interface]},
    }


def _update(kind: str, name: str, found: dict[str, Any], wanted: dict[str, Any], **more: str) -> list[Action]:
    values = {key: value for key, value in wanted.items() if found[key] != value}
    action = {"do": f"update {kind}", "name": name, **more, "id": found["id"], "values": values}
    return [action] if values else []


def _listed(found: list[dict[str, Any]], key: str) -> str:
    return ", ".join(f"{item[key]} (ID {item['id']})" for item in found)


def describe(action: Action) -> str:
    """The action in an operator's words, without any password."""
    verb, kind = action["do"].split()
    name, values = action["name"], action["values"]
    if kind == "assignment":
        return f"give user {name} the role {values['role']} on project {values['project']}"
    subject = {
        "service": f"service {name} ({action.get('type')})",
        "endpoint": f"endpoint {action.get('type')}/{action.get('interface')}",
    }.get(kind, f"{kind} {name}")
    if verb == "create":
        return f"create {subject} {values.get('url', '')}".rstrip()
    words = {
        "is_enabled": f"enable {subject}",
        "password": f"set the password of {subject}",
        "description": f"describe {subject} as {values.get('description')!r}",
        "url": f"set the URL of {subject} to {values.get('url')}",
    }
    return ", ".join(words[key] for key in values)


def registration(cloud: Cloud, name: str) -> dict[str, Any]:
    """The arguments of ``operations.identity.present`` that register one service of the cloud.

    keystone's also hold what all others need: the projects, the roles, and the demo user.

    Args:
        cloud: the model.
        name: the service's name.
    """
    service = cloud.service(name)
    # Services act for users with the role "admin"; by the role "service" they are known to one another as
    # services ([keystone_authtoken] service_token_roles).
    service_tokens = cloud.release.has("service_tokens")
    roles = ["admin", "service"] if service_tokens else ["admin"]
    accounts = {
        other.name: User(other.name, other.password, {"service": roles})
        for other in cloud.services.values()
        if other.name != "keystone"
    }
    demo = User("demo", cloud.secret("demo_password"), {"demo": [cloud.member_role]})
    arguments: dict[str, Any] = {
        "admin": cloud.admin_credentials,
        "services": [
            Service(
                name=entry.name,
                type=entry.type,
                description=service.spec.description,
                region=cloud.settings.region,
                endpoints={interface: service.url(interface, entry.path) for interface in INTERFACES},
            )
            for entry in service.spec.entries
        ],
        "known_users": [demo, *accounts.values()],
    }
    if name == "keystone":
        arguments["projects"] = [
            Project("admin"),
            Project("service", "The OpenStack services' own users"),
            Project("demo", "Demonstration"),
        ]
        # Made by keystone's bootstrap, except "service" in releases before 2023.2.
        arguments["roles"] = ["admin", cloud.member_role]
        if cloud.release.has("member_role"):
            arguments["roles"].append("reader")
        if service_tokens:
            arguments["roles"].append("service")
        arguments["users"] = [demo]
        if cloud.release.has("admin_token"):
            # Nobody can log in yet: the first administrator is made with the token of keystone.conf.
            arguments["admin"] = cloud.token_credentials
            arguments["users"].append(User("admin", cloud.secret("admin_password"), {"admin": ["admin"]}))
    else:
        arguments["users"] = [accounts[name]]
    return arguments
