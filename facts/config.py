"""What a configuration file on a host holds."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

from pyinfra.api import FactBase

from facts.reading import Unreadable


@dataclass(frozen=True)
class File:
    """A file as found on a host, or the place where it would be.

    Attributes:
        path: the file itself; for a symbolic link, where the link leads to.
        directory: whether the directory that holds ``path`` exists.
        exists: whether the file exists; when not, the rest is empty.
        mode: the permissions, in octal without a leading zero: "640".
        user: the owner's name.
        group: the group's name.
        content: the text, always ending with a newline unless it is empty.
    """

    path: str
    directory: bool
    exists: bool
    mode: str = ""
    user: str = ""
    group: str = ""
    content: str = ""


class ConfigFile(FactBase[File | Unreadable]):
    """One configuration file, with owner, mode and content, in one round trip.

    A file that can't be read (no permission, a directory, a link that leads nowhere) fails the command;
    only one that is known not to be there is "absent". Read it with :func:`facts.reading.read`.
    """

    def command(self, path: str) -> str:
        """
        Args:
            path: the file's absolute path. A symbolic link is followed: EL and Debian link some
                configuration files to others, and the link must outlive the edit.
        """
        # Absent is only proven when the nearest directory above can be searched: as an ordinary user,
        # everything below /etc/nova (0750) seems not to exist.
        return (
            f"f={quote(path)}; "
            'if [ -L "$f" ]; then r=$(readlink -f "$f") || { echo "$f: link to nowhere" >&2; exit 1; }; '
            'f=$r; fi; echo "$f"; '
            'if [ -f "$f" ]; then stat -c "%a %U %G %s" "$f" && cat "$f"; '
            'elif [ -e "$f" ]; then echo "$f: not a regular file" >&2; exit 1; '
            'else d=$(dirname "$f"); if [ -d "$d" ]; then echo absent; else echo "no directory"; fi; '
            'while [ ! -e "$d" ]; do d=$(dirname "$d"); done; '
            'if [ ! -d "$d" ] || [ ! -x "$d" ]; then echo "$d: not searchable" >&2; exit 1; fi; fi'
        )

    def process(self, output: list[str]) -> File | Unreadable:
        if len(output) < 2:
            return Unreadable("the command's answer is incomplete")
        path, status, *lines = output
        if status in ("absent", "no directory"):
            return File(path, directory=status == "absent", exists=False)
        mode, user, group, size = status.rsplit(" ", 3)
        content = "".join(f"{line}\n" for line in lines)
        # pyinfra stops reading, without an error, at bytes that are not UTF-8: the rest of the file would
        # be lost at the next write. The size also tells of a file that changed while it was read.
        # One byte may be missing in the file: the last newline.
        if len(content.encode()) - int(size) not in (0, 1):
            return Unreadable(f"{path}: read in part only; it is not UTF-8 text, or it changed meanwhile")
        return File(path, directory=True, exists=True, mode=mode, user=user, group=group, content=content)
