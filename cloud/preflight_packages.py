"""Where a host's packages would come from, and who signed them. Pure: facts in, lines out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloud import apt, repositories
from cloud.checklist import OK, REFUSED, SET, WARNING, Line, judged, unreadable
from cloud.model import Cloud, Node
from cloud.preflight import State


def yum_lines(cloud: Cloud, node: Node, yum: Mapping[str, Any]) -> list[Line]:
    """An EL host's repositories and keys. Before the first run ours are not there yet.

    Args:
        cloud, node: the model, and the host.
        yum: what :class:`facts.repositories.Yum` answers, asked for the keys' files.
    """
    wanted = cloud.sources(node)
    try:
        there = repositories.parse(yum["files"])
    except ValueError as problem:
        return [unreadable("repositories", str(problem))]
    enabled = [name for name, found in there.items() if found.enabled]
    off = {name for name, repository in wanted.repositories.items() if not repository.enabled}
    later = [name for name in dict.fromkeys([*enabled, *wanted.enabled]) if name not in off]
    lines = [
        Line("repositories", "as declared", found, REFUSED, cure)
        for found, cure in repositories.problems(wanted, there)
    ]
    if not lines:
        lines.append(_repositories(node, enabled, later))
    lines += _keys(wanted, yum)
    return lines + [
        Line("repositories", "no EPEL beside RDO", warning.found, WARNING, warning.cure)
        for warning in repositories.warnings(wanted, there)
    ]


def apt_lines(cloud: Cloud, node: Node, state: State) -> list[Line]:
    """A Debian host's package sources, and the keys of those that are declared.

    Args:
        cloud, node, state: the model, the host, and what it is.
    """
    enabled = [source.label for source in apt.sources(state.apt)]
    declared = apt.sources(
        {f"{name}.sources": item.deb822() for name, item in cloud.apt_sources(node).items()}
    )
    later = list(dict.fromkeys([*enabled, *(source.label for source in declared)]))
    if not later and not state.installed and not node.settings.required.repositories:
        cure = "no package could be installed: add a source to the host, or declare some in apt_sources"
        lines = [Line("repositories", "one at least", "none is enabled", REFUSED, cure)]
    else:
        lines = [_repositories(node, enabled, later)]
    for name, source in cloud.apt_sources(node).items():
        there = source.signed_by not in state.absent
        found = source.signed_by if there else f"{source.signed_by} is not there"
        cure = f"put the key of apt_sources' {name} there, or correct signed_by"
        lines.append(judged("package keys", source.signed_by, found, there, cure))
    return lines


def _repositories(node: Node, enabled: Sequence[str], later: Sequence[str]) -> Line:
    """How many are enabled now, and after the deploy has written what is declared."""
    least = node.settings.required.repositories
    wanted = str(least or len(later))
    found = f"{len(enabled)}: {', '.join(enabled)}" if enabled else "none is enabled"
    if least and len(later) < least:
        cure = f"required.repositories is {least}: enable what is missing, declare it, or ask for less"
        return Line("repositories", wanted, found, REFUSED, cure)
    new = [name for name in later if name not in enabled]
    gone = [name for name in enabled if name not in later]
    words = [f"the deploy adds {', '.join(new)}"] if new else []
    words += [f"the deploy switches {', '.join(gone)} off"] if gone else []
    return Line("repositories", wanted, found, SET if words else OK, "; ".join(words))


def _keys(wanted: repositories.Sources, yum: Mapping[str, Any]) -> list[Line]:
    """The declared keys: known to rpm, to be imported, or not to be had."""
    imported, lines, missing = set(yum["imported"]), [], []
    for path, key in wanted.keys.items():
        held = yum["keys"].get(path)
        own = key.url or key.file or key.text
        lacking = [fingerprint for fingerprint in key.fingerprint if fingerprint not in imported]
        if held is None and not own and not wanted.packages:
            cure = "give it a file, text or url in yum_keys, or install what brings it"
            lines.append(Line("package keys", path, f"{path} is not there", REFUSED, cure))
        elif held is not None and not own and held != key.fingerprint:
            found = f"{path} has the fingerprint {' '.join(held) or '(no key)'}"
            cure = f"{' '.join(key.fingerprint)} is declared: find out which is right"
            lines.append(Line("package keys", path, found, REFUSED, cure))
        else:
            missing += lacking
    if lines:
        return lines
    declared = sum(len(key.fingerprint) for key in wanted.keys.values())
    if not declared:
        # yum -y takes the keys that a repository names, on trust.
        cure = "yum would trust what the repositories name: import their keys, or declare them in yum_keys"
        known = f"{len(imported)} imported"
        return [judged("package keys", "any", known, bool(imported), cure, otherwise=WARNING)]
    found = f"{declared - len(missing)} of {declared} imported"
    cure = f"the deploy imports {', '.join(missing)}"
    return [judged("package keys", f"{declared} imported", found, not missing, cure, otherwise=SET)]
