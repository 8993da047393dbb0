"""/etc/hosts: the cloud's names with their address, everything else as it was."""

import pytest

from cloud.hosts_file import merge

HOSTS = {"controller": "192.168.56.11", "compute": "192.168.56.12"}
OURS = "192.168.56.11 controller\n192.168.56.12 compute\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", OURS),
        # Debian's line for a host without a fixed address.
        ("127.0.0.1 localhost\n127.0.1.1 controller\n", "127.0.0.1 localhost\n" + OURS),
        # cloud-init's, with the full name, which stays.
        (
            "127.0.1.1\tcontroller.example.org controller\n",
            "127.0.1.1 controller.example.org\n" + OURS,
        ),
        # A line of several names, with the right address: left alone, byte for byte.
        (
            "192.168.56.11\tcontroller.example.org  controller # rack 4\n",
            "192.168.56.11\tcontroller.example.org  controller # rack 4\n192.168.56.12 compute\n",
        ),
        # An old address, on a line of several names with a comment.
        ("10.0.0.1 gateway compute # the old one\n", "10.0.0.1 gateway # the old one\n" + OURS),
        # Both names on one wrong line.
        ("127.0.1.1 controller compute\n", OURS),
        # Comments and empty lines are kept, also a comment that names a host.
        ("# 127.0.1.1 compute\n\n::1 localhost\n", "# 127.0.1.1 compute\n\n::1 localhost\n" + OURS),
        # No newline at the end.
        ("127.0.0.1 localhost", "127.0.0.1 localhost\n" + OURS),
        # The name is there twice, once wrong.
        (OURS + "127.0.1.1 controller\n", OURS),
        # A name that only begins like ours.
        ("10.0.0.9 compute2\n", "10.0.0.9 compute2\n" + OURS),
        # An address that changed.
        (OURS.replace("56.12", "56.99"), OURS),
    ],
)  # fmt: skip
def test_merge(before, after):
    assert merge(before, HOSTS) == after
    assert merge(after, HOSTS) == after


def test_no_host_changes_nothing():
    assert merge("127.0.0.1 localhost\n", {}) == "127.0.0.1 localhost\n"
