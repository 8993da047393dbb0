"""What the declared resources need from files of the machine that runs pyinfra."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from cloud.resources import Resources

CHUNK = 1 << 20  # bytes


@dataclass
class Files:
    """What was read.

    Attributes:
        hashes: image's name -> algorithm -> hexadecimal digest.
        public_keys: keypair's name -> text.
        user_data: instance's name -> text.
        problems: a line for each file that will not do.
    """

    hashes: dict[str, dict[str, str]] = field(default_factory=dict)
    public_keys: dict[str, str] = field(default_factory=dict)
    user_data: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def digests(path: Path) -> dict[str, str]:
    """SHA-256, for the declared checksum, and SHA-512, which is glance's own, in one reading."""
    found = {"sha256": hashlib.sha256(), "sha512": hashlib.sha512()}
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            for digest in found.values():
                digest.update(chunk)
    return {name: digest.hexdigest() for name, digest in found.items()}


def read(resources: Resources) -> Files:
    """Read every file that is named, and hold the images against their declared checksums."""
    files = Files()

    def text(what: str, path: Path) -> str:
        try:
            return path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            files.problems.append(
                f"{what}: {path} can't be read: {getattr(error, 'strerror', None) or error}"
            )
            return ""

    for image in resources.images:
        if image.file is None:
            continue
        try:
            files.hashes[image.name] = found = digests(image.file)
        except OSError as error:
            files.problems.append(f"image {image.name}: {image.file} can't be read: {error.strerror}")
            continue
        if image.checksum and found["sha256"] != image.checksum:
            files.problems.append(
                f"image {image.name}: {image.file} has the checksum {found['sha256']}, declared is "
                f"{image.checksum}"
            )
    for pair in resources.keypairs:
        key = pair.public_key or text(f"keypair {pair.name}", pair.public_key_file)
        # The private key lies next to it, and its name is only a suffix shorter: that one must go nowhere.
        if key and not re.match(r"(ssh|ecdsa|sk)-\S+ \S+", key):
            files.problems.append(
                f"keypair {pair.name}: {pair.public_key_file or 'public_key'} is no public key"
            )
            key = ""
        files.public_keys[pair.name] = key.strip()
    for instance in resources.instances:
        if instance.user_data_file:
            files.user_data[instance.name] = text(f"instance {instance.name}", instance.user_data_file)
        elif instance.user_data is not None:
            files.user_data[instance.name] = instance.user_data
    return files
