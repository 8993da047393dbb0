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

    programs = images.built("el-programs", [str(bottom), images.CHROOT, debs], install) / "upper"
    key = (keys.folder(lab) / "packages.asc").read_text()
    files = dress.files(lab.el, repository.url(lab), key)

    def clothe(folder: Path) -> None:
        guest.write(folder / "upper/dressing", files)
        (folder / "upper/build").mkdir()
        (folder / "upper/build/lab.spec").write_text(dress.base_spec())
        below = f"{programs}:{bottom}"
        images.isolated(lab, "sh", "-c", images.CHROOT, "sh", folder, below, dress.DRESSING)

    inputs = [str(programs), images.CHROOT, dress.DRESSING, files, dress.base_spec()]
    return [images.built(f"el{lab.el}-root", inputs, clothe) / "upper", programs, bottom]
