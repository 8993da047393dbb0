"""SELinux: its mode now and after the next boot, and its booleans."""

from __future__ import annotations

from pyinfra.api import FactBase

CONFIG = "/etc/selinux/config"


class SELinux(FactBase[dict]):
    """What SELinux does now and what it is told for the next boot, in one round trip.

    Answers ``{"now": …, "boot": …, "kernel_off": …, "booleans": {name: {"now": bool, "stored": bool}}}``.
    ``now`` and ``boot`` are ``enforcing``, ``permissive``, ``disabled``, or None where there is no such
    thing, as on Debian and in containers. ``kernel_off`` tells whether the boot loader's default entry has
    ``selinux=0``; None where there is no grubby to ask. ``stored``: whether a boolean was switched on for
    good, which ``getsebool`` does not tell.

    Sources: getenforce(8), selinux_config(5), grubby(8); semanage's store is ``/var/lib/selinux`` on EL 9 and
    ``/etc/selinux`` on EL 7.
    """

    def command(self) -> str:
        return (
            "export LC_ALL=C; mode=; "
            "if command -v getenforce >/dev/null; then mode=$(getenforce) || exit 1; fi; "
            "echo now=$mode; "
            f"if [ -e {CONFIG} ]; then "
            f"settings=$(cat {CONFIG}) || exit 1; "
            """echo boot=$(printf '%s\\n' "$settings" | sed -n 's/^SELINUX=//p' | tail -n 1); fi; """
            "if command -v grubby >/dev/null && entry=$(grubby --info=DEFAULT 2>/dev/null); then "
            """case " $(printf '%s' "$entry" | tr '"\\n' '  ') " in """
            "*' selinux=0 '*) echo kernel=off ;; *) echo kernel=on ;; esac; fi; "
            "case $mode in Enforcing|Permissive) getsebool -a || exit 1; "
            "cat /var/lib/selinux/*/active/booleans.local /etc/selinux/*/active/booleans.local 2>/dev/null "
            "| sed -n 's/^[a-z].*=1$/stored &/p' ;; esac"
        )

    def process(self, output: list[str]) -> dict:
        values: dict[str, str] = {}
        booleans: dict[str, dict[str, bool]] = {}
        stored = set()
        for line in output:
            name, arrow, state = line.partition(" --> ")
            if arrow:
                booleans[name] = {"now": state.split()[0] == "on", "stored": False}
            elif line.startswith("stored "):
                stored.add(line.split()[1].partition("=")[0])
            else:
                key, _, value = line.partition("=")
                values[key] = value.strip().lower()
        for name in stored & set(booleans):
            booleans[name]["stored"] = True
        return {
            "now": values.get("now") or None,
            "boot": values.get("boot") or None,
            "kernel_off": {"off": True, "on": False}.get(values.get("kernel", "")),
            "booleans": booleans,
        }
