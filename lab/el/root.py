"""The layers of the hosts' root between Debian's base and a host's own files."""

from __future__ import annotations

from pathlib import Path

from lab import guest, images
from lab.el import dress, infrastructure, keys, repository
from lab.hosts import Lab


def layers(lab: Lab, bottom: Path) -> list[Path]:
    """The layers, top first, built unless they are there.

    Args:
        lab: the table.
        bottom: the base below them.
    """
    debs = dress.installation(infrastructure.DEBS)

    def install(folder: Path) -> None:
        images.isolated(lab, "sh", "-c", images.CHROOT, "sh", folder, bottom, debs)

    below = [images.built("el-programs", [str(bottom), images.CHROOT, debs], install) / "upper", bottom]
    if lab.real:
        below = [dependencies(lab, below) / "upper", *below]
    key = (keys.folder(lab) / "packages.asc").read_text()
    files = dress.files(lab.el, repository.url(lab), key, lab.real)

    def clothe(folder: Path) -> None:
        guest.write(folder / "upper/dressing", files)
        (folder / "upper/build").mkdir()
        (folder / "upper/build/lab.spec").write_text(dress.base_spec())
        lower = ":".join(map(str, below))
        images.isolated(lab, "sh", "-c", images.CHROOT, "sh", folder, lower, dress.DRESSING)

    inputs = [*map(str, below), images.CHROOT, dress.DRESSING, files, dress.base_spec()]
    return [images.built(f"{lab.system}-root", inputs, clothe) / "upper", *below]


def dependencies(lab: Lab, below: list[Path]) -> Path:
    """What OpenStack's real programs need, as a layer in ``upper``; Debian's packages of them in ``debs``.

    Args:
        lab: the table.
        below: the layers below this one, top first.
    """
    lower = ":".join(map(str, below))

    def build(folder: Path) -> None:
        images.isolated(lab, "sh", "-c", images.CHROOT, "sh", folder, lower, dress.DEPENDENCIES)
        (folder / "upper/debs").rename(folder / "debs")

    return images.built("el-real-programs", [lower, images.CHROOT, dress.DEPENDENCIES], build)
