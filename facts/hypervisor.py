"""What a host's processor offers to a hypervisor."""

from __future__ import annotations

from pyinfra.api import FactBase


class VirtType(FactBase):
    """``kvm`` where the processor offers virtualization and the kernel gives the device, else ``qemu``.

    The device alone is not enough: a container can be given ``/dev/kvm`` by a host that cannot use it.
    """

    def command(self) -> str:
        return "if [ -c /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then echo kvm; else echo qemu; fi"

    def process(self, output: list[str]) -> str:
        return output[0].strip()
