"""Package repositories of EL hosts: files, checked keys, and whether each of them answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote

from pyinfra import host, logger, state
from pyinfra.api import StringCommand, operation

from cloud import ini
from cloud.repositories import FOLDER, YumKey, YumRepository, parse, unaddressed
from facts.config import File
from facts.packages import MissingRpms
from facts.reading import Unreadable, read
from facts.repositories import Silent, Yum, fingerprints
from operations.config import write_command
from operations.failure import fail

# The first line of a file of ours.
OURS = "# Kept by openstack-pyinfra: edit yum_repositories in group_data, not this file."

# Arguments: the file, its declared fingerprints, and its source: a URL, "stdin", or "" when it is there.
# The file takes its name, and rpm learns of it, when it is what was declared; rpm would import every key in
# it, so it must hold no other one. curl, not yum: yum -y trusts whatever it finds at gpgkey's URL.
KEY = f"""
set -eu
file=$1 declared=$2 source=$3 given=${{3:-the file}}
new=$(dirname "$file")/.$(basename "$file").pyinfra-new
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'rm -rf "$GNUPGHOME" "$new"' EXIT
umask 022
mkdir -p "$(dirname "$file")"
rm -f "$new"
case $source in
    "") cp "$file" "$new" ;;
    stdin) cat >"$new"; given="the text or file given for it" ;;
    *) curl -fsSL --retry 2 --max-time 60 -o "$new" "$source" || {{
           echo "yum_keys: $file: $source does not answer" >&2; exit 1; }} ;;
esac
found=$({fingerprints('"$new"')} | sed 's/^fingerprint=//' | sort -u | tr '\\n' ' ')
if [ "$found" != "$declared " ]; then
    echo "yum_keys: $file: $given has the fingerprint ${{found:-(no key) }}and not the declared" >&2
    echo "$declared; it was not imported" >&2
    exit 1
fi
if [ -n "$source" ]; then
    chmod 644 "$new"
    mv -fT "$new" "$file"
    if command -v restorecon >/dev/null; then restorecon "$file"; fi
fi
rpm --import "$file"
""".strip()


@operation()
def configured(repositories: Mapping[str, YumRepository | dict], keys: Mapping[str, YumKey | dict]):
    """Write repositories and bring rpm the keys of their packages, each checked before it is imported.

    A repository whose ID is in one of the host's files is changed there, and the file's other lines stay: of
    an ID that comes twice dnf takes the first one, with a warning. A new one has a file of its own; it is
    switched off when it is no longer declared. When a file was changed, every enabled repository must answer.

    Args:
        repositories: ID -> repository, or its fields.
        keys: file on the host -> key that it must hold, or its fields.

    **Example:**

    .. code:: python

        repositories.configured(
            name="Declare the package repositories and their keys",
            repositories={
                "mine": {
                    "baseurl": "http://192.168.56.1/mine/$basearch/",
                    "gpgkey": ["file:///etc/pki/rpm-gpg/RPM-GPG-KEY-mine"],
                },
                "crb": {"enabled": True},
            },
            keys={
                "/etc/pki/rpm-gpg/RPM-GPG-KEY-mine": {
                    "url": "http://192.168.56.1/RPM-GPG-KEY-mine",
                    "fingerprint": "45BD 1494 A864 C697 DA44  B49A C42E E0AC 956A B135",
                },
            },
        )
    """
    declared = {name: YumRepository.model_validate(item) for name, item in repositories.items()}
    found = read(Yum, keys=list(keys))
    if isinstance(found, Unreadable):
        yield fail(f"yum's files and keys can't be read: {found.reason}")
        return
    try:
        there = parse(found["files"])
    except ValueError as problem:
        yield fail(str(problem))
        return
    # All that can be refused is, before the first change.
    if problems := unaddressed(declared, there):
        yield fail("; ".join(map(str, problems)))
        return

    commands = []
    for file, fields in keys.items():
        key = YumKey.model_validate(fields)
        held, right = found["keys"].get(file), " ".join(key.fingerprint)
        content = key.content
        source = "stdin" if content is not None else key.url or ""
        if held == key.fingerprint:
            source, content = "", None
        elif not source and held is None:
            yield fail(
                f"yum_keys: {file} is not there: give it a file, text or url, or install what brings it"
            )
            return
        elif not source:
            yield fail(
                f"yum_keys: {file} has the fingerprint {' '.join(held) or '(no key)'} and not the declared "
                f"{right}; nothing was imported: find out which is right"
            )
            return
        if source or not set(key.fingerprint) <= set(found["imported"]):
            arguments = " ".join(quote(argument) for argument in (file, right, source))
            options = {} if content is None else {"_stdin": content}
            commands.append(StringCommand("sh", "-c", quote(KEY), "key", arguments, **options))

    texts = dict(found["files"])
    for name, repository in declared.items():
        if not repository.addressed and name not in there:
            continue  # not there, and not wanted: it is off
        file = there[name].file if name in there else f"{FOLDER}/{name}.repo"
        wanted = {name: repository.options(name)}
        texts[file] = ini.merge(texts.get(file, f"{OURS}\n"), wanted)
    for name, known in there.items():
        # Taken out of the settings, but still asked by every yum: one that is gone would stop them all.
        if known.enabled and name not in declared and texts[known.file].startswith(OURS):
            texts[known.file] = ini.merge(texts[known.file], {name: {"enabled": "0"}})
    changed = {file: text for file, text in texts.items() if text != found["files"].get(file)}
    for file, text in changed.items():
        place = File(file, directory=True, exists=file in found["files"])
        commands.append(write_command(place, text, "root", "root", "644"))
    if not commands:
        host.noop(f"{len(declared)} repositories and {len(keys)} keys are as declared")
        return
    if state.config.DIFF:
        for file in changed:
            logger.info(f"{host.print_prefix}Will write {file}")
    # First the keys: a run that is killed in between has no repository whose key rpm does not know.
    yield from commands
    if changed:
        yield from _ask(declared)


@operation()
def reachable(
    repositories: Mapping[str, YumRepository | dict], packages: Sequence[str], shipped: Sequence[str] = ()
):
    """Ask every enabled repository, each on its own, when something is to be installed; name the silent ones.

    Changes nothing. Nobody is asked when nothing is missing, or while the run is only planned.

    Args:
        repositories: ID -> repository, or its fields.
        packages: what is to be installed from them.
        shipped: IDs of more, which release packages have brought.
    """
    missing = read(MissingRpms, packages=list(packages))
    if isinstance(missing, Unreadable):
        yield fail(f"rpm's list of packages can't be read: {missing.reason}")
        return
    if not missing:
        host.noop("all packages are installed: no repository was asked")
        return
    declared = {name: YumRepository.model_validate(item) for name, item in repositories.items()}
    yield from _ask({**dict.fromkeys(shipped), **declared})
    host.noop("every repository answers" if state.is_executing else "the repositories are asked by the run")


def _ask(repositories: Mapping[str, YumRepository | None]):
    enabled = [name for name, repository in repositories.items() if repository is None or repository.enabled]
    if not (state.is_executing and enabled):
        return
    silent = read(Silent, repositories=enabled)
    if isinstance(silent, Unreadable):
        yield fail(f"the repositories can't be asked: {silent.reason}")
    elif silent:
        lines = []
        for name, reason in silent.items():
            repository = repositories[name]
            where = f" ({repository.url})" if repository and repository.url else ""
            lines.append(f"\n  - {name}{where}: {reason}")
        yield fail(f"repositories that do not answer; nothing was installed:{''.join(lines)}")
