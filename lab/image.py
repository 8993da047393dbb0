"""A test image without the internet: Debian's kernel for clouds, and busybox with the scripts of ``tiny/``.

Nova boots the kernel directly (glance's properties ``kernel_id`` and ``ramdisk_id``), so that the disk needs
no boot loader; the whole system is in the initramfs and the disk is empty. It boots in seconds under TCG.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from lab import hosts, images
from lab.hosts import Lab

TINY = Path(__file__).parent / "tiny"
# All labs have the same image, whatever their hosts' system.
SUITE = "trixie"
NAME = f"{SUITE}-tiny"

# What is not built into the kernel of these and of what they need: the network, disks, the power button.
MODULES = ("virtio_pci", "virtio_net", "virtio_blk", "button", "evdev")
DISK_SIZE = 16 * 2**20  # bytes

# In a chroot of the lab's base: its apt knows the suite and the mirror. Nothing is installed.
SCRIPT = f"""\
cd /tiny
apt-get -qq update
kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: *//p' | head -n 1)
apt-get -qq download "$kernel" busybox-static
for package in *.deb; do dpkg-deb --extract "$package" extracted; done
cp extracted/boot/vmlinuz-* kernel
version=${{kernel#linux-image-}}
ln -s usr/lib extracted/lib
depmod --basedir extracted "$version"
cd root  # the scripts are there
mkdir -p bin dev etc modules proc sys
cp ../extracted/usr/bin/busybox bin/busybox
for name in $(bin/busybox --list); do [ "$name" = busybox ] || ln -s busybox "bin/$name"; done
# insmod gets them in the order in which modprobe would load them, and unpacked, whatever busybox can read.
for module in {" ".join(MODULES)}; do
    modprobe --dirname /tiny/extracted --set-version "$version" --show-depends "$module"
done | sed -n 's/^insmod //p' | awk '!seen[$1]++ {{ print $1 }}' | while read -r file; do
    name=$(basename "$file" .xz)
    case $file in
    *.xz) bin/busybox unxz -c "$file" > "modules/$name" ;;
    *) cp "$file" "modules/$name" ;;
    esac
    echo "$name" >> modules/order
done
find . | bin/busybox cpio -o -H newc 2>/dev/null | gzip -9n > ../initramfs
"""


def files(lab: Lab | None = None) -> dict[str, Path]:
    """The parts of the image, built if they are not there yet; that needs root and the lab's proxy.

    Args:
        lab: the table; default: the lab that ``$OPENSTACK_LAB`` names.

    Returns:
        ``kernel`` and ``initramfs`` for glance's ``aki`` and ``ari`` images, ``disk`` (raw, bare) for the
        image itself.
    """
    lab = lab or hosts.chosen()

    def build(folder: Path) -> None:
        tiny = folder / "upper/tiny"
        shutil.copytree(TINY, tiny / "root")
        base = images.base(replace(lab, suite=SUITE))
        images.isolated(lab, "sh", "-c", images.CHROOT, "sh", folder, base, SCRIPT)
        for part in ("kernel", "initramfs"):
            (tiny / part).rename(folder / part)
        with (folder / "disk").open("wb") as disk:
            disk.truncate(DISK_SIZE)
        for layer in ("upper", "work", "root"):
            shutil.rmtree(folder / layer)

    images.built(NAME, _inputs(), build)
    return parts()


def parts() -> dict[str, Path]:
    """What :func:`files` gives, without building anything: for settings, which are read on every run."""
    folder = images.place(NAME, _inputs())
    return {part: folder / part for part in ("kernel", "initramfs", "disk")}


def declared(properties: dict[str, str] | None = None) -> list[dict]:
    """The image as ``resources`` in group_data declares it, with its kernel and initramfs.

    Args:
        properties: of the disk image, in glance.
    """
    files = parts()
    return [
        *(
            {
                "name": f"tiny-{part}",
                "file": files[part],
                "disk_format": kind,
                "container_format": kind,
                "visibility": "public",
            }
            for part, kind in (("kernel", "aki"), ("initramfs", "ari"))
        ),
        {
            "name": "tiny",
            "file": files["disk"],
            "kernel": "tiny-kernel",
            "ramdisk": "tiny-initramfs",
            "visibility": "public",
            **({"properties": properties} if properties else {}),
        },
    ]


def _inputs() -> list[object]:
    scripts = {
        str(file.relative_to(TINY)): file.read_text() for file in sorted(TINY.rglob("*")) if file.is_file()
    }
    return [SUITE, SCRIPT, DISK_SIZE, scripts]
