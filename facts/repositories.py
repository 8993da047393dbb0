"""The package repositories of an EL host, and the keys its packages are checked with."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from pyinfra.api import FactBase


def fingerprints(file: str = "") -> str:
    """A command that prints ``fingerprint=`` and 40 digits for each key in a file, or on standard input.

    gpg 2.0 (EL 7) has no --show-keys; what gpg does without a command is the same in all versions. It prints
    the fingerprint of a subkey too, which follows no "pub".

    Args:
        file: the file, quoted for the shell.
    """
    return (
        f"gpg --batch --no-tty --with-colons --with-fingerprint {file} 2>/dev/null | ".replace("  ", " ")
        + 'awk -F: \'$1 == "pub" { key = 1 } '
        + '$1 == "fpr" && key { print "fingerprint=" $10; key = 0 }\''
    )


class Yum(FactBase[dict]):
    """All repositories and keys of an EL host, in one round trip and without yum, which is slow to start.

    Answers ``{"files": {path: text}, "keys": {path: [fingerprint, …]}, "imported": [fingerprint, …]}``:
    yum's files; the files with keys that were asked for, as far as they are there; the keys rpm knows.

    Source: rpm keeps each key as a package ``gpg-pubkey``, whose description is the key itself.
    """

    def command(self, keys: Sequence[str] = ()) -> str:
        """
        Args:
            keys: files with keys.
        """
        files = "/etc/yum.conf /etc/dnf/dnf.conf /etc/yum.repos.d/*.repo"
        shown = (
            f'for f in {files}; do [ ! -f "$f" ] || {{ echo "file=$f"; sed \'s/^/ /\' "$f"; echo; }}; done; '
        )
        if keys:
            listed = " ".join(quote(key) for key in keys)
            known = fingerprints('"$f"')
            shown += f'for f in {listed}; do [ ! -f "$f" ] || {{ echo "key=$f"; {known}; }}; done; '
        return (
            'command -v gpg >/dev/null || { echo "gpg is missing" >&2; exit 1; }; '
            # gpg writes a keyring wherever its home is.
            "GNUPGHOME=$(mktemp -d) && export GNUPGHOME && trap 'rm -rf \"$GNUPGHOME\"' EXIT; "
            f"{shown}echo imported; "
            f"LC_ALL=C rpm -q gpg-pubkey --queryformat '%{{DESCRIPTION}}\\n' | {fingerprints()}"
        )

    def process(self, output: list[str]) -> dict:
        files: dict[str, str] = {}
        keys: dict[str, list[str]] = {}
        imported: list[str] = []
        path, prints = "", imported
        for line in output:
            what, _, value = line.partition("=")
            if line.startswith(" "):
                files[path] += f"{line[1:]}\n"
            elif what == "file":
                path = value
                files[path] = ""
            elif what == "key":
                prints = keys.setdefault(value, [])
            elif what == "fingerprint":
                prints.append(value)
            elif line == "imported":
                prints = imported
        return {
            "files": files,
            "keys": {path: sorted(found) for path, found in keys.items()},
            "imported": sorted(imported),
        }


class Silent(FactBase[dict]):
    """The repositories of a list that do not answer: ID → yum's reason. Each is asked on its own.

    yum itself stops at the first one, and takes a copy in its cache for an answer.
    """

    def command(self, repositories: Sequence[str]) -> str:
        """
        Args:
            repositories: IDs.
        """
        names = " ".join(quote(name) for name in repositories)
        # 200: another yum is at work, which is no answer of the repository; EL 7's would wait for ever.
        return (
            f"for id in {names}; do waited=0; while :; do "
            "reason=$(LC_ALL=C yum -y --disablerepo='*' --enablerepo=\"$id\" --setopt=exit_on_lock=1 "
            '--setopt="$id.metadata_expire=1" --setopt="$id.skip_if_unavailable=0" '
            "--setopt=timeout=15 --setopt=retries=2 makecache 2>&1 >/dev/null </dev/null); status=$?; "
            "[ $status -eq 200 ] && [ $waited -lt 300 ] || break; sleep 5; waited=$((waited + 5)); done; "
            '[ $status -eq 0 ] || { echo "id=$id"; printf \'%s\\n\' "$reason" | sed "s/^/ /"; }; done'
        )

    def process(self, output: list[str]) -> dict[str, str]:
        reasons: dict[str, list[str]] = {}
        for line in output:
            if line.startswith("id="):
                reasons[line.removeprefix("id=")] = lines = []
            elif line.strip():
                lines.append(line.strip().removeprefix("- "))
        # The curl error names the URL; what comes after it only says that it failed.
        return {
            name: next((line for line in lines if "rror (" in line or "Errno" in line), " ".join(lines[-2:]))
            or "no reason given"
            for name, lines in reasons.items()
        }
