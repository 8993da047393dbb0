"""Steps to the declared volume types and volumes. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from cloud.resource_steps import Book, Step, missing, ref, volume_wait


def volume_types(book: Book) -> Iterable[Step]:
    """Made, with properties that are missing."""
    for declared in book.resources.volume_types:
        found = book.found("volume_types", declared.name)
        what = f"volume type {declared.name}"
        if not found:
            body = {
                "name": declared.name,
                "description": declared.description,
                "os-volume-type-access:is_public": declared.public,
                "extra_specs": declared.properties,
            }
            yield Step(
                f"create {what}",
                "block_storage",
                "POST",
                ["/types"],
                {"volume_type": body},
                makes=f"volume_types:{declared.name}",
                envelope="volume_type",
            )
            continue
        core = declared.model_dump(include={"public"})
        book.differs(what, found, core, "change it with: openstack volume type set")
        if new := missing(declared.properties, found["properties"]):
            yield Step(
                f"set properties of {what}: {', '.join(new)}",
                "block_storage",
                "POST",
                ["/types/", found["id"], "/extra_specs"],
                {"extra_specs": new},
            )


def volumes(book: Book) -> Iterable[Step]:
    """Made; the size and the type of one that is there stay as they are."""
    for volume in book.resources.volumes:
        what = f"volume {volume.name}"
        found = book.found("volumes", volume.name, project=volume.project)
        type_ = book.id_of("volume_types", volume.type, None, what) and volume.type if volume.type else None
        image = book.id_of("images", volume.image, volume.project, what) if volume.image else None
        if found:
            book.differs(what, found, {"size": volume.size}, "extend it with: openstack volume set --size")
            if volume.type:
                book.differs(
                    what, found, {"type": volume.type}, "change it with: openstack volume set --type"
                )
            if found["status"].startswith("error"):
                book.problems.append(
                    f"{what} has the status {found['status']}; look at it with: openstack volume show "
                    f"{found['id']}, and remove it with: openstack volume delete {found['id']}"
                )
            elif found["status"] in ("creating", "downloading"):
                yield Step(
                    f"wait until {what} is available",
                    "block_storage",
                    "GET",
                    ["/volumes/", found["id"]],
                    waits=[volume_wait(found["id"], "available", "in-use")],
                )
            continue
        book.use(volume.project, volumes=1, gigabytes=volume.size)
        body = {
            "name": volume.name,
            "size": volume.size,
            "description": volume.description,
            "volume_type": type_,
            "imageRef": image,
            "availability_zone": volume.availability_zone,
        }
        yield Step(
            f"create {what} ({volume.size} GB)",
            "block_storage",
            "POST",
            ["/volumes"],
            {"volume": {key: value for key, value in body.items() if value is not None}},
            project=volume.project,
            makes=f"volumes:{volume.name}",
            envelope="volume",
            waits=[volume_wait(ref("volumes", volume.name), "available")],
        )
