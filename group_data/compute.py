"""Choices for the compute hosts only."""

# kvm where the CPU offers it, else qemu; or name one of them.
virt_type = "auto"
