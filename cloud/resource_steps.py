"""What plans of resources are made of: steps, and a book to look things up in. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from cloud.resource_files import Files
from cloud.resources import Image, Resources

# What ``operations/remote/sdk_resources.py`` answers as "state".
State = dict[str, Any]

# Seconds at most. An emulated instance on a host of the lab takes one minute.
INSTANCE_WAIT = 600
VOLUME_WAIT = 300
# The visibilities of an image that other projects may use.
VISIBLE = ("public", "community", "shared")


@dataclass(frozen=True)
class Step:
    """One request to an API.

    Attributes:
        what: for people.
        service: openstacksdk's name of the API: "compute", "block_storage", …
        method, json, headers: of the request.
        path: its parts. A part, or a value in ``json``, may be a :func:`ref`.
        project: the project in which it is done; None: the administrator's own.
        makes, envelope: the ref that stands for the answer's ID from then on, and the key it lies under.
        content: an image's content: ``path`` on the controller, ``sha256``, and ``url`` to fetch it from.
        waits: each {service, path, want, fail, seconds, envelope}, until the status is one of ``want``;
            "gone" is a status, too.
    """

    what: str
    service: str
    method: str
    path: list[Any]
    json: Any = None
    headers: dict[str, str] | None = None
    project: str | None = None
    makes: str | None = None
    envelope: str | None = None
    content: dict[str, str] | None = None
    waits: list[dict[str, Any]] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def ref(kind: str, name: str) -> dict[str, str]:
    """Stands for the ID of what an earlier step made, or of any project or user."""
    return {"ref": f"{kind}:{name}"}


def volume_wait(identifier: Any, *want: str, fail: Iterable[str] = ("error",)) -> dict[str, Any]:
    return {
        "service": "block_storage",
        "path": ["/volumes/", identifier],
        "envelope": "volume",
        "want": list(want),
        "fail": list(fail),
        "seconds": VOLUME_WAIT,
    }


def instance_wait(identifier: Any, *want: str, fail: Iterable[str] = ("ERROR",)) -> dict[str, Any]:
    return {
        "service": "compute",
        "path": ["/servers/", identifier],
        "envelope": "server",
        "want": list(want),
        "fail": list(fail),
        "seconds": INSTANCE_WAIT,
    }


class Book:
    """What is there and what is declared, to look things up; problems and needs add up in it.

    Attributes:
        problems: a line each; with one of them nothing may be done.
        uses: project -> quota -> how much of it the new things take.
    """

    def __init__(self, state: State, resources: Resources, files: Files):
        self.state, self.resources, self.files = state, resources, files
        self.problems: list[str] = list(files.problems)
        self.uses: dict[str, Counter[str]] = {}

    def found(self, kind: str, name: str, **where: str | None) -> dict[str, Any] | None:
        """The one thing of this name; two are a problem."""
        matching = [
            item
            for item in self.state[kind]
            if item["name"] == name and all(item[key] == value for key, value in where.items())
        ]
        if len(matching) > 1:
            identifiers = ", ".join(item["id"] for item in matching)
            self.problems.append(
                f"{kind}: there are {len(matching)} named {name}, remove all but one: {identifiers}"
            )
        return matching[0] if matching else None

    def declared(self, kind: str, name: str) -> Any:
        return next((item for item in getattr(self.resources, kind) if item.name == name), None)

    def id_of(self, kind: str, name: str, project: str | None, wanted_by: str) -> Any:
        """The ID of what ``wanted_by`` refers to, or a ref to what is declared; neither is a problem."""
        declared = self.declared(kind, name)
        if declared is not None:
            where = self._where(kind, declared)
            return item["id"] if (item := self.found(kind, name, **where)) else ref(kind, name)
        for item in self.state[kind]:
            if item["name"] == name and self._usable(kind, item, project):
                return item["id"]
        self.problems.append(f"{wanted_by}: no such {kind.removesuffix('s').replace('_', ' ')}: {name}")
        return None

    def _where(self, kind: str, declared: Any) -> dict[str, Any]:
        if kind in ("flavors", "volume_types"):
            return {}
        if kind == "subnets":
            return {"project": self._network_of(declared.name).project}
        return {"project": declared.owner if isinstance(declared, Image) else declared.project}

    def _network_of(self, subnet: str) -> Any:
        return next(n for n in self.resources.networks if subnet in [s.name for s in n.subnets])

    def _usable(self, kind: str, item: dict[str, Any], project: str | None) -> bool:
        if kind in ("flavors", "volume_types"):
            return True
        shared = item["attributes"]["visibility"] in VISIBLE if kind == "images" else item.get("public")
        return item["project"] == project or bool(shared)

    def use(self, project: str, **amounts: int) -> None:
        self.uses.setdefault(project, Counter()).update(amounts)

    def differs(self, what: str, found: dict[str, Any], wanted: dict[str, Any], remedy: str) -> None:
        """A problem when something that can't be changed is not as declared."""
        for key, value in wanted.items():
            if found[key] != value:
                self.problems.append(
                    f"{what} is there with {key} {found[key]}, declared is {value}; {remedy}"
                )


def missing(wanted: dict[str, str], found: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in wanted.items() if found.get(key) != value}


def interfaces(state: State, router: str) -> list[str]:
    """The subnets a router has an interface in."""
    # The second one is a highly available router's.
    owners = ("network:router_interface", "network:ha_router_replicated_interface")
    return [
        subnet
        for port in state["ports"]
        if port["device"] == router and port["owner"].startswith(owners)
        for subnet in port["subnets"]
    ]
