"""Packages: what is missing, in one transaction a host."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Literal

from pyinfra import host
from pyinfra.api import StringCommand, operation

from facts.packages import POLICY, POLICY_MARKER, DebianPackages, MissingRpms
from facts.reading import Unreadable, read
from operations.failure import fail

# Seconds to wait for another apt or dpkg: a fresh Debian updates itself in its first minutes.
LOCK_TIMEOUT = 120
# Seconds to wait for the installation of a run that was killed: it goes on, on the host, to its end.
OTHER_RUN_TIMEOUT = 1200

# A script, so that its end removes policy-rc.d whatever happens. Arguments: options of apt-get, packages.
#
# - Debian's packages start their daemons with the sample configuration; invoke-rc.d asks policy-rc.d first,
#   and 101 means no. A reload is let through: without one, D-Bus would not know polkit's new policy, polkit
#   would end at once, and libvirt would wait for it in vain. The script takes policy-rc.d away again; what
#   SIGKILL leaves is taken away by the next run. Someone else's stands aside meanwhile.
# - The lock keeps a second run from seeing the first one's policy-rc.d as left over: a killed SSH connection
#   does not end the script on the host.
# - apt-get waits for dpkg's lock, dpkg itself does not: hence "apt-get check" before "dpkg --configure",
#   which in turn must come before apt-get, as apt refuses to work after an interrupted dpkg. It may fail on a
#   package whose dependencies had not been unpacked yet: "--fix-broken" brings these, and apt 3 wants that
#   to be a step of its own.
# - "apt-get update" waits for no lock at all: hence its own loop.
INSTALL = f"""
set -e
exec 9>/run/lock/openstack-pyinfra-packages
flock -w {OTHER_RUN_TIMEOUT} 9 || {{ echo "another run is still installing packages" >&2; exit 1; }}
policy={POLICY}
restore() {{
    if grep -qsF '{POLICY_MARKER}' $policy; then rm -f $policy; fi
    if [ -e $policy.kept ]; then mv -f $policy.kept $policy; fi
}}
trap restore EXIT
trap 'exit 1' HUP INT TERM
restore
[ $# -gt 0 ] || exit 0
if [ -e $policy ]; then mv -f $policy $policy.kept; fi
printf '%s\\n' '#!/bin/sh' '{POLICY_MARKER}' 'case $2 in *start*) exit 101 ;; esac' >$policy
chmod 755 $policy
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
apt="apt-get -q -y -o DPkg::Lock::Timeout={LOCK_TIMEOUT}"
$apt check >/dev/null 2>&1 9>&- || :
dpkg --force-confold --force-confdef --configure -a 9>&- || :
attempts=0
until $apt update 9>&-; do
    attempts=$((attempts + 1))
    if [ $attempts -ge 4 ]; then exit 1; fi
    sleep 10
done
apt="$apt -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef"
$apt install --fix-broken --no-remove --no-install-recommends 9>&-
$apt install "$@" 9>&-
""".strip()


@operation()
def installed(
    packages: Sequence[str],
    platform: Literal["debian", "el"],
    debconf: Sequence[str] = (),
    recommends: bool = False,
):
    """Install what is missing of a list, in one transaction; never upgrade what is there.

    No daemon is started: the task that configures it does that. On Debian what a killed run left half
    installed is finished first.

    Args:
        packages: names of packages, or of what packages provide.
        platform: ``debian`` (apt) or ``el`` (yum).
        debconf: lines for ``debconf-set-selections``: ``PACKAGE QUESTION TYPE ANSWER``.
        recommends: whether Debian's recommended packages come too.

    **Example:**

    .. code:: python

        packages.installed(
            name="Install memcached",
            packages=["memcached", "python3-memcache"],
            platform="debian",
        )
    """
    if platform == "el":
        yield from _rpms(packages)
        return

    found = read(DebianPackages)
    if isinstance(found, Unreadable):
        yield fail(f"dpkg's list of packages can't be read: {found.reason}")
        return
    missing = [package for package in packages if package not in found["installed"]]
    if not (missing or found["broken"] or found["policy"]):
        host.noop("all packages are installed")
        return
    arguments = []
    if missing or found["broken"]:
        arguments = [*([] if recommends else ["--no-install-recommends"]), "--", *missing]
    if missing and debconf:
        # "unknown question" is fine: the answer waits for the package that asks it.
        yield StringCommand("debconf-set-selections", _stdin="\n".join(debconf))
    yield StringCommand("sh", "-c", quote(INSTALL), "install", *(quote(argument) for argument in arguments))


def _rpms(packages: Sequence[str]):
    missing = read(MissingRpms, packages=list(packages))
    if isinstance(missing, Unreadable):
        yield fail(f"rpm's list of packages can't be read: {missing.reason}")
    elif missing:
        yield StringCommand("yum", "-y", "install", *(quote(package) for package in missing))
    else:
        host.noop("all packages are installed")
