"""Packages: what is missing, in one transaction a host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Literal

from pyinfra import host
from pyinfra.api import StringCommand, operation

from cloud.repositories import fits
from facts.packages import POLICY, POLICY_MARKER, DebianPackages, MissingRpms, RpmBuilds
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

# A script, because what was read before may be old by the time the lock is free. Arguments: NAME=VERSION of
# each pinned package, "--", packages.
#
# - A killed pyinfra closes the SSH channel, and a yum that writes to it would die in the middle of rpm's
#   transaction: it writes to a file, and signals of the closing session are ignored.
# - yum waits for another yum without end; with exit_on_lock it says so by status 200.
# - Every other build of a pinned package is excluded, so that the solver holds to the pin for dependencies
#   too; "--showduplicates list" is what both yum 3 and dnf have for that. "install" takes an older build with
#   dnf; yum 3 has "downgrade".
# - yum 3 goes on without a package that no repository has, unless told not to.
RPMS = r"""
trap '' HUP INT TERM PIPE
export LC_ALL=C
log=/var/log/openstack-pyinfra-packages.log
exec 9>/run/lock/openstack-pyinfra-packages
if ! flock -n 9; then
    echo "waiting for another run's installation, TIMEOUT seconds at most"
    flock -w TIMEOUT 9 || { echo "another run is still installing packages" >&2; exit 1; }
fi
: >$log
pins='' options=''
while [ "$1" != -- ]; do pins="$pins $1"; shift; done
shift
case $(readlink -f "$(command -v yum)") in
    *dnf*) ;;
    *) options=--setopt=skip_missing_names_on_install=0 ;;
esac

twice=$(rpm -qa --queryformat '%{NAME}.%{ARCH}\n' | grep -Ev '^(kernel.*|gpg-pubkey)\.' | sort | uniq -d)
if [ -n "$twice" ]; then
    echo "installed twice, as a yum that was cut off leaves them:" $twice >&2
    echo "remove the older ones first: dnf remove --duplicates; on EL 7: package-cleanup --cleandupes" >&2
    exit 1
fi

build() { rpm -q --queryformat '%{EPOCHNUM}:%{VERSION}-%{RELEASE}\n' "$1" 2>/dev/null; }
pin() { for item in $pins; do if [ "${item%%=*}" = "$1" ]; then echo "${item#*=}"; fi; done; }
fits() {
    rest=${2#*:}
    case $1 in "$2" | "$rest" | "${rest%-*}" | "${2%%:*}:${rest%-*}") return 0 ;; esac
    return 1
}
missing() {
    for name in "$@"; do
        rpm -q --whatprovides "$name" >/dev/null 2>&1 && continue
        version=$(pin "$name")
        echo "$name${version:+-${version#*:}}"
    done
}
wrong() {
    for item in $pins; do
        name=${item%%=*} version=${item#*=}
        if found=$(build "$name") && ! fits "$version" "$found"; then echo "$name-${version#*:}"; fi
    done
}
run() {
    waited=0
    while :; do
        yum -y --setopt=exit_on_lock=1 --setopt=localpkg_gpgcheck=1 $options "$@" 2>>$log </dev/null 9>&-
        status=$?
        if [ $status -ne 200 ] || [ $waited -ge TIMEOUT ]; then return $status; fi
        [ $waited -gt 0 ] || echo "waited for another yum or dnf, TIMEOUT seconds at most" >&2
        sleep 5
        waited=$((waited + 5))
    done
}

wanted="$(missing "$@") $(wrong)"
if [ -z "${wanted# }" ]; then echo "all packages are installed by now"; exit 0; fi
if [ -n "$pins" ]; then
    names=$(for item in $pins; do echo "${item%%=*}"; done)
    others=$(run -q --showduplicates list available $names | awk '
        found { for (i = 1; i <= NF; i++) word[count++] = $i }
        /^Available / { found = 1 }
        END { for (i = 0; i + 2 < count; i += 3) print word[i], word[i + 1] }' |
        while read -r name evr; do
            case $evr in *:*) full=$evr ;; *) full=0:$evr ;; esac
            version=$(pin "${name%.*}")
            [ -z "$version" ] || fits "$version" "$full" || printf ',%s' "${name%.*}-$evr.${name##*.}"
        done)
    [ -z "$others" ] || options="$options --exclude=${others#,}"
fi
run install $wanted >>$log
status=$?
down=$(wrong)
if [ $status -eq 0 ] && [ -n "$down" ]; then run downgrade $down >>$log; status=$?; fi
left="$(missing "$@") $(wrong)"
if [ $status -ne 0 ] || [ -n "${left# }" ]; then
    tail -n 40 $log >&2
    echo "not installed:" ${left:-nothing} "(yum's status is $status; $log has all it said)" >&2
    exit 1
fi
cat $log
""".strip().replace("TIMEOUT", str(OTHER_RUN_TIMEOUT))


@operation()
def installed(
    packages: Sequence[str],
    platform: Literal["debian", "el"],
    debconf: Sequence[str] = (),
    recommends: bool = False,
    versions: Mapping[str, str] | None = None,
):
    """Install what is missing of a list, in one transaction; never upgrade what is there.

    No daemon is started: the task that configures it does that. On Debian what a killed run left half
    installed is finished first.

    Args:
        packages: names of packages, or of what packages provide.
        platform: ``debian`` (apt) or ``el`` (yum).
        debconf: lines for ``debconf-set-selections``: ``PACKAGE QUESTION TYPE ANSWER``.
        recommends: whether Debian's recommended packages come too. What EL calls weak dependencies comes as
            the host's dnf.conf says (install_weak_deps, on by default).
        versions: EL: package -> VERSION or VERSION-RELEASE that it must have, whether it comes by its name or
            as a dependency. One that is installed is moved to it, up or down; one that nothing needs does
            not come.

    **Example:**

    .. code:: python

        packages.installed(
            name="Install memcached",
            packages=["memcached", "python3-memcache"],
            platform="debian",
        )
    """
    if platform == "el":
        yield from _rpms(packages, versions or {})
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


def _rpms(packages: Sequence[str], versions: Mapping[str, str]):
    missing = read(MissingRpms, packages=list(packages))
    if isinstance(missing, Unreadable):
        yield fail(f"rpm's list of packages can't be read: {missing.reason}")
        return
    builds = read(RpmBuilds, packages=sorted(versions)) if versions else {}
    if isinstance(builds, Unreadable):
        yield fail(f"rpm's list of packages can't be read: {builds.reason}")
        return
    moved = [name for name in builds if not all(fits(versions[name], build) for build in builds[name])]
    if not (missing or moved):
        host.noop("all packages are installed")
        return
    pins = [f"{name}={version}" for name, version in sorted(versions.items())]
    arguments = [*pins, "--", *missing]
    yield StringCommand("sh", "-c", quote(RPMS), "install", *(quote(argument) for argument in arguments))
