"""How far packstack is."""

from __future__ import annotations

from dataclasses import dataclass, field
from shlex import quote

from pyinfra.api import FactBase

from facts.reading import Unreadable

# Arguments: unit, folder, log, the number of the first byte that is wanted of it. The unit is asked first: of
# one that has ended the record is there, and all of its log.
LOOK = """
systemctl show --property=ActiveState "$1" || exit 1
for name in given failed done; do
    if began=$(stat -c %Y "$2/$name" 2>/dev/null); then echo "$name=$(($(date +%s) - began))"; fi
done
if [ -e "$3" ]; then size=$(stat -c %s "$3") || exit 1; else size=0; fi
echo "size=$size"
echo log
if [ "$size" -ge "$4" ]; then tail -c "+$4" "$3" | tail -c 20000 | tr -cd '\\t\\n\\r\\033 -~'; fi
""".strip()


@dataclass(frozen=True)
class Run:
    """packstack's last run, and what it says.

    Attributes:
        running: whether it is under way.
        given, failed, done: seconds since it began with the answers of that name in the folder
            (``operations/installed/packstack.sh``); None where there is no such file.
        size: bytes in the log.
        log: what is new in it, by lines.
    """

    running: bool
    given: int | None = None
    failed: int | None = None
    done: int | None = None
    size: int = 0
    log: list[str] = field(default_factory=list)


class PackstackRun(FactBase[Run | Unreadable]):
    """The unit, its records, and the log from a byte on, in one round trip."""

    def command(self, unit: str, folder: str, log: str, start: int = 1) -> str:
        """
        Args:
            unit: the transient unit, which is gone once it succeeded.
            folder: with the records.
            log: its output.
            start: the number of the first byte that is wanted, from 1.
        """
        return f"LC_ALL=C sh -c {quote(LOOK)} look {quote(unit)} {quote(folder)} {quote(log)} {start}"

    def process(self, output: list[str]) -> Run | Unreadable:
        if "log" not in output:
            return Unreadable("the command's answer is incomplete")
        end = output.index("log")
        found = dict(line.split("=", 1) for line in output[:end])
        ages = {name: int(found[name]) for name in ("given", "failed", "done") if name in found}
        running = found.get("ActiveState") in ("active", "activating", "deactivating", "reloading")
        return Run(running, **ages, size=int(found["size"]), log=output[end + 1 :])
