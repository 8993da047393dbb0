"""Steps to the declared flavors, keypairs and instances. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from cloud.resource_networks import security_group
from cloud.resource_steps import Book, Step, instance_wait, missing, ref, volume_wait
from cloud.resources import Instance


def flavors(book: Book) -> Iterable[Step]:
    """Made, and given properties and projects that are missing."""
    for flavor in book.resources.flavors:
        core = flavor.model_dump(include={"vcpus", "ram", "disk", "ephemeral", "swap", "public"})
        found = book.found("flavors", flavor.name)
        what = f"flavor {flavor.name}"
        if found:
            book.differs(what, found, core, "a flavor can't be changed: declare it under another name")
        else:
            body = {"name": flavor.name, "os-flavor-access:is_public": core.pop("public")}
            body["OS-FLV-EXT-DATA:ephemeral"] = core.pop("ephemeral")
            yield Step(
                f"create {what}",
                "compute",
                "POST",
                ["/flavors"],
                {"flavor": {**body, **core}},
                makes=f"flavors:{flavor.name}",
                envelope="flavor",
            )
        identifier = found["id"] if found else ref("flavors", flavor.name)
        now = found or {"properties": {}, "access": []}
        if new := missing(flavor.properties, now["properties"]):
            yield Step(
                f"set properties of {what}: {', '.join(new)}",
                "compute",
                "POST",
                ["/flavors/", identifier, "/os-extra_specs"],
                {"extra_specs": new},
            )
        for project in flavor.projects:
            if project not in now["access"]:
                yield Step(
                    f"let project {project} use {what}",
                    "compute",
                    "POST",
                    ["/flavors/", identifier, "/action"],
                    {"addTenantAccess": {"tenant": ref("project", project)}},
                )


def keypairs(book: Book) -> Iterable[Step]:
    """One for each user that is to have it."""
    for pair in book.resources.keypairs:
        key = book.files.public_keys.get(pair.name, "")
        for user in pair.users:
            what = f"keypair {pair.name} of user {user}"
            found = [p for p in book.state["keypairs"] if (p["name"], p["user"]) == (pair.name, user)]
            if not found:
                body = {"name": pair.name, "public_key": key, "type": "ssh", "user_id": ref("user", user)}
                yield Step(f"create {what}", "compute", "POST", ["/os-keypairs"], {"keypair": body})
            elif found[0]["public_key"].split()[:2] != key.split()[:2]:
                book.problems.append(f"{what} is there with another key: declare it under another name")


def instances(book: Book) -> Iterable[Step]:
    """Made with their ports, then given their volumes."""
    for instance in book.resources.instances:
        what = f"instance {instance.name}"
        found = book.found("instances", instance.name, project=instance.project)
        body = server_body(book, instance, what)
        if found:
            yield from existing(book, instance, found, what)
        else:
            use_flavor(book, instance)
            yield Step(
                f"create {what}",
                "compute",
                "POST",
                ["/servers"],
                {"server": body},
                project=instance.project,
                makes=f"instances:{instance.name}",
                envelope="server",
                waits=[instance_wait(ref("instances", instance.name), "ACTIVE")],
            )
        yield from attachments(book, instance, found)


def existing(book: Book, instance: Instance, found: dict[str, Any], what: str) -> Iterable[Step]:
    """What can be changed of an instance that is there; whether it runs is its user's affair."""
    if found["status"] == "ERROR":
        book.problems.append(
            f"{what} has the status ERROR: {found['fault']}; remove it with: "
            f"openstack server delete {found['id']}"
        )
        return
    book.differs(what, found, {"flavor": instance.flavor}, "change it with: openstack server resize")
    if instance.image and not instance.boot_volume_size:
        image = book.id_of("images", instance.image, instance.project, what)
        if isinstance(image, str) and found["image"] != image:
            book.problems.append(f"{what} was made from another image than {instance.image}")
    if found["status"] == "BUILD":
        path = ["/servers/", found["id"]]
        waits = [instance_wait(found["id"], "ACTIVE")]
        yield Step(f"wait until {what} is active", "compute", "GET", path, waits=waits)
    if new := missing(instance.metadata, found["metadata"]):
        yield Step(
            f"set metadata of {what}: {', '.join(new)}",
            "compute",
            "POST",
            ["/servers/", found["id"], "/metadata"],
            {"metadata": new},
            project=instance.project,
        )


def server_body(book: Book, instance: Instance, what: str) -> dict[str, Any]:
    """The body of the request that makes it; says what it names and there is not."""
    project = instance.project
    networks = [{"uuid": book.id_of("networks", name, project, what)} for name in instance.networks]
    networks += [{"port": book.id_of("ports", name, project, what)} for name in instance.ports]
    body: dict[str, Any] = {
        "name": instance.name,
        "flavorRef": book.id_of("flavors", instance.flavor, project, what),
        "networks": networks,
        "metadata": instance.metadata,
        "config_drive": instance.config_drive,
    }
    if instance.keypair:
        body["key_name"] = instance.keypair
        owned = [p["name"] for p in book.state["keypairs"] if p["user"] == "admin"]
        owned += [pair.name for pair in book.resources.keypairs if "admin" in pair.users]
        if instance.keypair not in owned:
            book.problems.append(f"{what}: no such keypair of user admin: {instance.keypair}")
    if instance.security_groups:
        groups = [security_group(book, name, project, what) for name in instance.security_groups]
        body["security_groups"] = [{"name": group} for group in groups]
    if instance.availability_zone:
        host = instance.availability_zone.partition(":")[2]
        if host and host not in book.state["compute_hosts"]:
            book.problems.append(f"{what}: no such compute host: {host}")
        body["availability_zone"] = instance.availability_zone
    if (text := book.files.user_data.get(instance.name)) is not None:
        body["user_data"] = base64.b64encode(text.encode()).decode()
    image = book.id_of("images", instance.image, project, what) if instance.image else None
    disk = {"boot_index": 0, "destination_type": "volume"}
    if instance.boot_volume:
        volume = book.id_of("volumes", instance.boot_volume, project, what)
        body["block_device_mapping_v2"] = [{**disk, "uuid": volume, "source_type": "volume"}]
    elif instance.boot_volume_size:
        disk |= {"volume_size": instance.boot_volume_size, "delete_on_termination": True}
        body["block_device_mapping_v2"] = [{**disk, "uuid": image, "source_type": "image"}]
    else:
        body["imageRef"] = image
    return body


def use_flavor(book: Book, instance: Instance) -> None:
    """Count what a new instance takes of its project's quota."""
    flavor = book.declared("flavors", instance.flavor)
    size = flavor.model_dump() if flavor else book.found("flavors", instance.flavor)
    if size:
        book.use(instance.project, instances=1, cores=size["vcpus"], ram=size["ram"])
    if instance.boot_volume_size:
        book.use(instance.project, volumes=1, gigabytes=instance.boot_volume_size)


def attachments(book: Book, instance: Instance, found: dict[str, Any] | None) -> Iterable[Step]:
    """The declared volumes that it does not have yet."""
    server = found["id"] if found else ref("instances", instance.name)
    for name in instance.volumes:
        declared = book.declared("volumes", name)
        if declared.project != instance.project:
            book.problems.append(
                f"instance {instance.name}: volume {name} belongs to another project, {declared.project}"
            )
            continue
        volume = book.found("volumes", name, project=declared.project)
        attached = volume["instances"] if volume else []
        if found and found["id"] in attached:
            continue
        if attached:
            book.problems.append(f"volume {name} is attached to another instance: {', '.join(attached)}")
            continue
        identifier = volume["id"] if volume else ref("volumes", name)
        # nova reserves the volume before it answers: one that is available again was not attached.
        failed = ("available", "error", "error_attaching")
        yield Step(
            f"attach volume {name} to instance {instance.name}",
            "compute",
            "POST",
            ["/servers/", server, "/os-volume_attachments"],
            {"volumeAttachment": {"volumeId": identifier}},
            project=instance.project,
            waits=[volume_wait(identifier, "in-use", fail=failed)],
        )
