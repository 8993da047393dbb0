"""packstack's files: the answers and what changed in them, its log, the administrator's login. Pure.

An answer file is one section, ``[general]``, of lines ``NAME=VALUE`` without spaces around the sign, with a
comment above each. It is edited here and not by ``cloud/ini.py``, which writes ``NAME = VALUE`` and adds an
option that is missing: packstack takes an unknown name without a word, and goes on with its own default.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

NAME = re.compile(r"[A-Z][A-Z0-9_]*")
# What packstack itself asks for without an echo, as far as it is one (MASK_INPUT in packstack/plugins/ of
# 26.0.0), and keystone's token of older ones. CONFIG_SSH_KEY and the like are paths.
SECRET = re.compile(r"CONFIG_\w+_(PW|PASSWORD|SECRET|SECRET_KEY|HASH|AKEY|ENC_KEY|SAT6_KEY|TOKEN)")
# What packstack replaces by CONFIG_DEFAULT_PASSWORD, or by a password of its own making.
PLACEHOLDER = "PW_PLACEHOLDER"
MASK = "********"

# As Python's configparser has them, which packstack reads the file with.
_OPTION = re.compile(r"([^\s#;=:\[][^=:]*?)\s*[=:]\s*(.*)")
_CONTINUED = re.compile(r"\s+[^\s#;]")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_STEP = re.compile(r"[A-Z0-9][\w .,'\"()-]*: (DONE|ERROR)|Applying \S+\.pp|\W*Installation completed.*")
_EXPORT = re.compile(r"\s*(?:export\s+)?(OS_[A-Z0-9_]+)=(.*)")


# Tasks that make no service of OpenStack: the ones that a cloud of packstack's may have.
TASKS = {
    "preflight", "base", "repositories", "networkmanager", "selinux", "firewall", "packages", "lvm",
    "packstack", "verify", "resources", "teardown", "smoke",
}  # fmt: skip


def refusal(deployed_by: str, files: Iterable[str]) -> str | None:
    """Why these files of tasks may not be run on a cloud; None when they may.

    Args:
        deployed_by: the setting.
        files: as on pyinfra's command line.
    """
    for file in files:
        name = re.sub(r".*/|\.py$", "", file)
        ours = file.endswith(("deploy.py", f"tasks/{name}.py"))
        if deployed_by == "packstack" and ours and name not in TASKS:
            return f"{file} would build over what packstack has built (deployed_by = 'packstack')"
        if deployed_by != "packstack" and name == "packstack":
            return f"{file} is for a cloud that packstack builds: set deployed_by = 'packstack'"
    return None


def is_secret(name: str) -> bool:
    """Whether an option's value is a password or a key."""
    return bool(SECRET.fullmatch(name))


def problems(answers: Mapping[str, str], secret: Mapping[str, str]) -> list[str]:
    """What is wrong with declared answers, a line each, never showing a value.

    Args:
        answers: of ``packstack_answers``.
        secret: of ``secrets.toml``.
    """
    found = []
    for name, value in (*answers.items(), *secret.items()):
        if not NAME.fullmatch(name):
            found.append(f"{name!r} is no name of an option: CONFIG_… in capital letters")
        # Python 2's parser, which packstack on EL 7 has, takes what follows " ;" for a comment.
        if re.search(r"[\0\r\n]|\s;", value) or value != value.strip():
            found.append(f"{name}: an answer is one line, without spaces around it, and without ' ;' in it")
    for name, value in answers.items():
        if name in secret:
            found.append(f"{name} is in secrets.toml, too: remove it here")
        elif is_secret(name) and value not in ("", PLACEHOLDER):
            found.append(f"{name} is a secret: put it into secrets.toml, under this name")
    return found


def parse(text: str) -> dict[str, str]:
    """The options of an answer file, as packstack reads them."""
    return {name: value for name, value, _, _ in _options(text.split("\n"))}


def merge(text: str, answers: Mapping[str, str]) -> str:
    """Give an answer file these answers, and leave every other line as it is, byte for byte.

    Args:
        text: the file.
        answers: option -> value, one line each.

    Raises:
        ValueError: the file does not have an option, or has it twice. Values are not shown.
    """
    lines = text.split("\n")
    found = list(_options(lines))
    names = [name for name, *_ in found]
    wrong = []
    for name in answers:
        if name not in names:
            close = get_close_matches(name, names, n=1, cutoff=0)
            wrong.append(f"has no option {name}" + (f"; the nearest one is {close[0]}" if close else ""))
        elif names.count(name) > 1:
            wrong.append(f"has {name} {names.count(name)} times: leave one of them")
    if wrong:
        raise ValueError("; ".join(wrong))
    # From the end, so that the places before it stay what they are.
    for name, value, start, end in reversed(found):
        if name in answers and value != answers[name]:
            lines[start:end] = [f"{name}={answers[name]}"]
    return "\n".join(lines)


def changed(before: str, after: str) -> list[str]:
    """The names of the options in which two answer files differ; a comment is none."""
    old, new = parse(before), parse(after)
    return [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]


def reason(found: Collection[str], before: str, after: str) -> str | None:
    """Why packstack must run, as its records on the host have it; None when it need not.

    Args:
        found: which records there are, of ``given``, ``failed`` and ``done`` (see
            ``operations/installed/packstack.sh``).
        before: the answers of the last run.
        after: the answers that there are now.
    """
    names = changed(before, after) if found else []
    also = f"; changed since: {', '.join(names)}" if names else ""
    if "given" in found:
        return f"the last run was cut off before its end{also}"
    if "failed" in found:
        return f"the last run failed{also}"
    if "done" not in found:
        return "it has not run yet"
    return f"answers have changed since it succeeded: {', '.join(names)}" if names else None


def secrets_in(*texts: str) -> set[str]:
    """The passwords and keys of answer files."""
    found = {value for text in texts for name, value in parse(text).items() if is_secret(name)}
    return found - {"", PLACEHOLDER}


def masked(text: str, secrets: Collection[str]) -> str:
    """A text without these secrets, the longest first: one may be a part of another."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def spoken(log: Iterable[str]) -> list[str]:
    """The lines of packstack's output that say something, without colors and lines drawn over each other."""
    lines = (_COLOR.sub("", line).rpartition("\r")[2].rstrip() for line in log)
    return [re.sub(r":?\s*\[ (\w+) \]$", r": \1", line) for line in lines if line.strip()]


def steps(lines: Iterable[str]) -> list[str]:
    """Those of packstack's lines that name a step, and so hold no secret: others show what a shell did."""
    return [line.strip(" *") for line in lines if _STEP.fullmatch(line)]


def elapsed(seconds: float) -> str:
    """``90`` → ``1:30``, minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def credentials(text: str) -> dict[str, str]:
    """The administrator's login, as ``keystonerc_admin`` has it: ``OS_…`` -> value.

    packstack puts the password between quotes, or none in older releases, and changes nothing in it: what a
    shell would make of a quote or a dollar in it is not what keystone was told.

    Raises:
        ValueError: something is missing.
    """
    found = {}
    for line in text.splitlines():
        if match := _EXPORT.fullmatch(line):
            value = match[2].strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
            found[match[1]] = value[1:-1] if quoted else value
    missing = [name for name in ("OS_USERNAME", "OS_PASSWORD", "OS_AUTH_URL") if not found.get(name)]
    if missing:
        raise ValueError(f"has no {', '.join(missing)}")
    return found


def login(found: Mapping[str, str], region: str) -> dict[str, str]:
    """A login as ``cloud.model.Cloud.admin_credentials`` has it.

    Args:
        found: what :func:`credentials` gives.
        region: where it names none, as in older releases.
    """
    url = re.sub(r"/(v2\.0|v3)?/*$", "", found["OS_AUTH_URL"])
    return {
        "auth_url": f"{url}/v3",
        "username": found["OS_USERNAME"],
        "password": found["OS_PASSWORD"],
        "project_name": found.get("OS_PROJECT_NAME") or found.get("OS_TENANT_NAME") or "admin",
        "user_domain_name": found.get("OS_USER_DOMAIN_NAME", "Default"),
        "project_domain_name": found.get("OS_PROJECT_DOMAIN_NAME", "Default"),
        "region_name": found.get("OS_REGION_NAME", region),
    }


def in_main_interpreter(text: str) -> str:
    """Horizon's virtual host with ``WSGIApplicationGroup %{GLOBAL}`` where it has a WSGIProcessGroup.

    Once in each section of the file, below the directive and indented like it; a section that has the
    directive, at whatever place, is left alone, for newer packstacks write it themselves.

    Raises:
        ValueError: the file has no WSGIProcessGroup, or another application group.
    """
    lines = text.split("\n")
    section, open_sections, count = 0, [], 0
    process: dict[int, int] = {}
    grouped = set()
    for number, line in enumerate(lines):
        word, _, rest = line.strip().partition(" ")
        directive = word.lower()
        if directive.startswith("</"):
            section = open_sections.pop() if open_sections else 0
        elif directive.startswith("<"):
            count += 1
            open_sections.append(section)
            section = count
        elif directive == "wsgiprocessgroup":
            process.setdefault(section, number)
        elif directive == "wsgiapplicationgroup":
            if rest.strip() != "%{GLOBAL}":
                raise ValueError(f"has WSGIApplicationGroup {rest.strip()} in line {number + 1}: remove it")
            grouped.add(section)
    if not process:
        raise ValueError("has no WSGIProcessGroup")
    for where, number in sorted(process.items(), key=lambda item: item[1], reverse=True):
        if where not in grouped:
            indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
            lines.insert(number + 1, f"{indent}WSGIApplicationGroup %{{GLOBAL}}")
    return "\n".join(lines)


def _options(lines: list[str]) -> Iterable[tuple[str, str, int, int]]:
    """Name, value, first line and the line after the last one of each option."""
    number = 0
    while number < len(lines):
        start, match = number, _OPTION.fullmatch(lines[number])
        number += 1
        if match:
            while number < len(lines) and _CONTINUED.match(lines[number]):
                number += 1
            value = "\n".join([match[2].strip(), *(line.strip() for line in lines[start + 1 : number])])
            yield match[1].upper(), value, start, number
