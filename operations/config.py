"""Configuration files: merge our options into the distribution's file, or own a whole file.

Both write in one command that can be killed at any moment: a temporary file beside the destination, 0600 from
its first byte, gets content, owner and mode, and takes the destination's name when it is complete. Content
travels on standard input and never appears in a command, a diff or a log.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from shlex import quote
from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import StringCommand, operation

from cloud import blocks, ini, templates
from facts.config import ConfigFile, File
from facts.reading import Unreadable, read
from operations.failure import fail


@operation()
def merge(
    src: str,
    dest: str,
    overrides: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
    user: str = "root",
    group: str = "root",
    mode: str = "640",
    **data: Any,
):
    """Merge a template's options into an INI file, keeping the distribution's comments and other options.

    Give it a ``name``: pyinfra prints the arguments of an unnamed operation, and an override may be a secret.

    Args:
        src: the template, relative to the working directory; it holds only the options we set.
        dest: the file on the host. Its directory must exist. A symbolic link is followed, never replaced.
        overrides: the operator's whole ``config_overrides``, path → section → option → value; what it has
            for ``dest`` wins over the template, and ``None`` removes an option.
        user: the owner.
        group: the group, usually the service's.
        mode: the permissions, in octal.
        data: the names the template may use.

    **Example:**

    .. code:: python

        config.merge(
            name="Configure glance-api",
            src="templates/glance/glance-api.conf.j2",
            dest="/etc/glance/glance-api.conf",
            overrides=host.data.config_overrides,
            group="glance",
            cloud=cloud,
        )
    """
    try:
        wanted = ini.read_wanted(templates.render(src, **data))
    except ValueError as problem:
        yield fail(f"The template {src} for {dest}: {problem}")
        return
    try:
        wanted = ini.overlay(wanted, (overrides or {}).get(dest) or {})
    except ValueError as problem:
        yield fail(f"config_overrides for {dest}: {problem}")
        return

    found = read(ConfigFile, path=dest)
    if isinstance(found, Unreadable):
        yield fail(f"{dest} can't be read: {found.reason}")
    elif not found.directory:
        yield fail(_no_directory(found, "the package that owns it is not installed"))
    else:
        content = ini.merge(found.content, wanted)
        yield from write(found, content, user, group, mode, ini.differences(found.content, wanted))


@operation()
def file(
    dest: str,
    src: str | None = None,
    content: str | None = None,
    user: str = "root",
    group: str = "root",
    mode: str = "640",
    directory: bool = False,
    **data: Any,
):
    """Put a whole file that we own in place, from a template or from a text.

    Give it a ``name``: pyinfra prints the arguments of an unnamed operation, and ``content`` may be a secret.

    Args:
        dest: the file on the host. A symbolic link is followed, never replaced.
        src: the template, relative to the working directory; or
        content: the text. A last newline is added where it lacks.
        user: the owner.
        group: the group.
        mode: the permissions, in octal. The default suits files with secrets.
        directory: whether to make the file's directory (0755, root) when it is missing.
        data: the names the template may use.

    **Example:**

    .. code:: python

        config.file(
            name="Configure HAProxy",
            src="templates/haproxy/haproxy.cfg.j2",
            dest="/etc/haproxy/haproxy.cfg",
            group="haproxy",
            cloud=cloud,
        )
    """
    if (src is None) == (content is None):
        yield fail(f"config.file for {dest} needs either src or content")
        return
    try:
        text = templates.render(src, **data) if content is None else content
    except ValueError as problem:
        yield fail(f"The template {src} for {dest}: {problem}")
        return
    if text and not text.endswith("\n"):
        text += "\n"

    found = read(ConfigFile, path=dest)
    if isinstance(found, Unreadable):
        yield fail(f"{dest} can't be read: {found.reason}")
    elif not found.directory and not directory:
        yield fail(_no_directory(found, "install what owns it first, or give directory=True"))
    else:
        yield from write(found, text, user, group, mode, ["content"] if found.content != text else [])


@operation()
def block(
    dest: str,
    src: str,
    user: str = "root",
    group: str = "root",
    mode: str = "640",
    **data: Any,
):
    """Keep a part of our own in a file that is another's and no INI file; it is last, and so it wins.

    Args:
        dest: the file on the host, which must exist.
        src: the template of our part, relative to the working directory.
        user: the owner.
        group: the group.
        mode: the permissions, in octal.
        data: the names the template may use.

    **Example:**

    .. code:: python

        config.block(
            name="Configure Horizon",
            src="templates/horizon/local_settings.py.j2",
            dest="/etc/openstack-dashboard/local_settings",
            group="apache",
            cloud=cloud,
        )
    """
    try:
        text = templates.render(src, **data)
    except ValueError as problem:
        yield fail(f"The template {src} for {dest}: {problem}")
        return
    found = read(ConfigFile, path=dest)
    if isinstance(found, Unreadable):
        yield fail(f"{dest} can't be read: {found.reason}")
        return
    if not found.exists:
        yield fail(f"{found.path} does not exist: install what owns it first")
        return
    try:
        content = blocks.put(found.content, text)
    except ValueError as problem:
        yield fail(f"{found.path} {problem}")
        return
    yield from write(found, content, user, group, mode, ["content"] if found.content != content else [])


def write(found: File, content: str, user: str, group: str, mode: str, changes: list[str]):
    """Write a file that differs from what was found, and say what changes with ``--diff``.

    Args:
        found: the file, or its place.
        content: the text.
        user, group, mode: as for :func:`file`.
        changes: the names of what differs in the text, never its values; none when the text is as wanted.
    """
    mode = mode.lstrip("0")
    if found.exists:
        before = {"mode": found.mode, "user": found.user, "group": found.group}
        after = {"mode": mode, "user": user, "group": group}
        changes = changes + [
            f"{key} {before[key]} → {after[key]}" for key in after if before[key] != after[key]
        ]
        if not changes:
            host.noop(f"{found.path} is as wanted")
            return
    if state.config.DIFF:
        # Names only: pyinfra's own --diff of a file prints its lines, and thereby passwords (design rule 8).
        logger.info(f"{host.print_prefix}{'Will change' if found.exists else 'Will create'} {found.path}")
        for change in changes:
            logger.info(f"{host.print_prefix}    {change}")
    yield write_command(found, content, user, group, mode)


def write_command(found: File, content: str, user: str, group: str, mode: str) -> StringCommand:
    """The command that writes a whole file, as the operations here do.

    Args:
        found: the file, or its place.
        content: the text.
        user, group, mode: as for :func:`file`.
    """
    directory, name = posixpath.split(found.path)
    # One fixed name: a killed run leaves one such file at most, and the next write replaces it.
    new = quote(posixpath.join(directory, f".{name}.pyinfra-new"))
    dest = quote(found.path)
    steps = [
        *([] if found.directory else [f"install -d -m 755 -o root -g root {quote(directory)}"]),
        # noclobber (set -C) opens with O_EXCL: what is left of a killed run, or a link that someone put
        # there, is never written through.
        f"rm -f {new} && umask 077 && set -C && cat >{new}",
        # A connection that breaks looks to cat like the end of the content.
        f'[ "$(wc -c <{new})" -eq {len(content.encode())} ]',
        f"chown {quote(f'{user}:{group}')} {new} && chmod {quote(mode)} {new}",
        f"mv -fT {new} {dest}",
        # SELinux: a new file has its directory's type, which is wrong for the likes of /etc/my.cnf.
        f"if command -v restorecon >/dev/null; then restorecon {dest}; fi",
    ]
    return StringCommand(f"{' && '.join(steps)} || {{ rm -f {new}; exit 1; }}", _stdin=content)


def _no_directory(found: File, cure: str) -> str:
    return f"{found.path} has no directory {posixpath.dirname(found.path)}: {cure}"
