"""Steps to the declared images. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloud.resource_steps import Book, Step, ref
from cloud.resources import Image

# Where the operation puts the images' files on the first controller, and the program what it fetches.
STAGING = "/var/cache/openstack-images"
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
# The image property that holds the SHA-256 of what was fetched from a URL: glance's hash is another one.
FETCHED = "fetched_sha256"


def images(book: Book) -> Iterable[Step]:
    """Kernels and ramdisks before the images that name them."""
    parts = {name for image in book.resources.images for name in (image.kernel, image.ramdisk)}
    for image in sorted(book.resources.images, key=lambda image: image.name not in parts):
        yield from one_image(book, image)


def one_image(book: Book, image: Image) -> Iterable[Step]:
    """Made with its content, then changed to what is declared as far as glance allows."""
    what = f"image {image.name}"
    found = book.found("images", image.name, project=image.owner)
    wanted: dict[str, Any] = dict(image.properties)
    for key, name in (("kernel_id", image.kernel), ("ramdisk_id", image.ramdisk)):
        if name:
            wanted[key] = book.id_of("images", name, image.owner, what)
    if image.url:
        wanted[FETCHED] = image.checksum
    wanted |= image.model_dump(include={"min_disk", "min_ram", "visibility"})
    wanted["tags"] = sorted(image.tags)
    if found and found["attributes"]["status"] in ("queued", "saving"):
        # An upload that was killed: nobody has the rest of it.
        path = ["/images/", found["id"]]
        yield Step(f"remove {what}, whose upload was broken off", "image", "DELETE", path)
        found = None
    if not found:
        digest = image.checksum or book.files.hashes.get(image.name, {}).get("sha256", "")
        content = {
            "path": f"{STAGING}/{digest}",
            "sha256": digest,
            **({"url": image.url} if image.url else {}),
        }
        formats = image.model_dump(include={"disk_format", "container_format"})
        yield Step(
            f"create {what} from {image.file or image.url}",
            "image",
            "POST",
            ["/images"],
            {"name": image.name, "owner": ref("project", image.owner), **formats, **wanted},
            makes=f"images:{image.name}",
            content=content,
        )
        # Protected last: a broken upload could not be removed.
        found = {
            "id": ref("images", image.name),
            "members": [],
            "attributes": {**wanted, "protected": False},
        }
    else:
        same_content(book, image, found)
    now = found["attributes"]
    now = {**now, "tags": sorted(now["tags"])}
    changes = {
        key: value for key, value in {**wanted, "protected": image.protected}.items() if now.get(key) != value
    }
    if changes:
        yield Step(
            f"set {', '.join(changes)} of {what}",
            "image",
            "PATCH",
            ["/images/", found["id"]],
            [
                {"op": "replace" if key in now else "add", "path": f"/{key}", "value": value}
                for key, value in changes.items()
            ],
            headers=PATCH,
        )
    for member in image.members:
        if member not in found["members"]:
            yield Step(
                f"share {what} with project {member}",
                "image",
                "POST",
                ["/images/", found["id"], "/members"],
                {"member": ref("project", member)},
            )


def same_content(book: Book, image: Image, found: dict[str, Any]) -> None:
    """A problem when other content has the name: a second image of it would be found by chance."""
    what, attributes = f"image {image.name}", found["attributes"]
    remedy = (
        "declare it under another name, or remove the old one with: openstack image delete " + found["id"]
    )
    if attributes["status"] != "active":
        book.problems.append(f"{what} is {attributes['status']} and can't be used; {remedy}")
        return
    formats = image.model_dump(include={"disk_format", "container_format"})
    book.differs(what, attributes, formats, remedy)
    if image.url:
        if attributes.get(FETCHED) != image.checksum:
            book.problems.append(
                f"{what} is there with other content: {FETCHED} is {attributes.get(FETCHED)}, "
                f"declared is {image.checksum}; {remedy}"
            )
    elif image.name in book.files.hashes:
        local = book.files.hashes[image.name].get(found["hash_algorithm"])
        if local != found["hash"]:
            book.problems.append(f"{what} is there with other content than {image.file}; {remedy}")
