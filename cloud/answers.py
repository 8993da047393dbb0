"""The way out of packstack: an answer file becomes an inventory, group_data and secrets.toml.

``python -m cloud.answers ANSWERFILE OUTDIR`` writes them, and prints what becomes of every option, what the
new cloud will lack, and what had to be chosen. Nothing is written if anything is wrong. A second run with the
same answers keeps the secrets that the first one made.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path

from cloud import answers_file, answers_text, inputs, secrets
from cloud.answers_choices import EVERY, Choices, Translation
from cloud.answers_demo import add_demo
from cloud.answers_file import Answers, Refusal
from cloud.answers_hosts import add_hosts, add_interfaces, add_management_network, add_volumes
from cloud.answers_networks import add_networks
from cloud.answers_report import report
from cloud.answers_secrets import add_secrets
from cloud.answers_services import (
    add_differences,
    add_refusals,
    add_release,
    add_services,
    add_tls,
    check_required,
)
from cloud.releases import BY_AGE, Release


def translate(answers: Answers, choices: Choices) -> Translation:
    """Translate an answer file.

    Args:
        answers: the file.
        choices: what it does not say.

    Raises:
        Refusal: with everything that stands against it.
    """
    result = Translation(answers, choices)
    check_required(result)
    steps: tuple[Callable[[Translation], None], ...] = (
        add_refusals,
        add_release,
        add_hosts,
        add_management_network,
        add_secrets,
        add_tls,
        add_services,
        add_interfaces,
        add_networks,
        add_volumes,
        add_demo,
        add_differences,
    )
    for step in steps:
        step(result)
    if problems := [*result.problems, *answers.problems]:
        raise Refusal(problems)
    return result


def files(result: Translation, present: dict[str, str]) -> dict[str, str]:
    """The files' texts: path below OUTDIR -> text.

    Args:
        result: the translation.
        present: the secrets that an earlier run has made.
    """
    values = {**present, **result.passwords}
    text = secrets.generate(values, Release(result.choices.release))
    return {
        "inventory.py": answers_text.inventory(result),
        **{f"group_data/{name}": text for name, text in answers_text.group_data(result).items()},
        secrets.FILE_NAME: text + answers_text.unused(result),
    }


def present_secrets(result: Translation, folder: Path) -> dict[str, str]:
    """The secrets of an earlier run.

    Raises:
        Refusal: they are not what the answer file says.
    """
    path = folder / secrets.FILE_NAME
    if not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Refusal([f"{path} can't be read: {error}"]) from None
    other = [name for name, value in result.passwords.items() if values.get(name, value) != value]
    if other:
        raise Refusal([f"{path} is there, with another {name}: name another folder" for name in other])
    return values


def check(texts: dict[str, str], folder: Path) -> None:
    """Hold the files to the deploy's own rules, in a folder that is only there for that.

    Raises:
        Refusal: with what ``cloud.inputs`` says.
    """
    # Here: it reads the inventory with pyinfra.
    from cloud import render

    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as name:
        place = Path(name)
        (place / "group_data").mkdir()
        for path, text in texts.items():
            secrets.write(place / path, text)
        try:
            inputs.read(render.inventory_at(str(place / "inventory.py")), place / "inventory.py", False)
        except inputs.InputError as error:
            raise Refusal(line.replace(str(place), str(folder)) for line in error.problems) from None


def write(texts: dict[str, str], folder: Path) -> dict[str, str]:
    """Write the files, each whole or not at all; returns path -> ``written`` or ``unchanged``.

    Raises:
        Refusal: another file is there.
    """
    paths = {name: folder / name for name in texts}
    there = {name: path.read_text() for name, path in paths.items() if path.exists()}
    other = [str(paths[name]) for name, text in there.items() if text != texts[name]]
    if other:
        raise Refusal(f"{path} is there, and is another: remove it, or name another folder" for path in other)
    (folder / "group_data").mkdir(parents=True, exist_ok=True)
    for name, path in paths.items():
        if name not in there:
            # 0600 from the first byte; only the secrets stay so.
            secrets.write(path, texts[name])
            if name != secrets.FILE_NAME:
                path.chmod(0o644)
    return {name: "unchanged" if name in there else "written" for name in texts}


def _for_host(text: str) -> tuple[str, str]:
    """``HOST=VALUE``."""
    host, _, value = text.rpartition("=")
    if not host or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST=VALUE")
    return host, value


def _for_hosts(text: str) -> tuple[str, str]:
    """``HOST=VALUE``, or ``VALUE`` for every host."""
    return _for_host(text) if "=" in text else (EVERY, text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cloud.answers", description=__doc__.split("\n\n")[0])
    parser.add_argument("answerfile", metavar="ANSWERFILE", type=Path)
    parser.add_argument("folder", metavar="OUTDIR", type=Path)
    parser.add_argument(
        "--release", choices=BY_AGE, default="epoxy", metavar="NAME", help="of OpenStack; default: epoxy"
    )
    parser.add_argument("--platform", choices=("debian", "el"), default="debian", help="default: debian")
    parser.add_argument(
        "--management-network", type=IPv4Network, metavar="NETWORK", help="the hosts' addresses are in it"
    )
    for option, given, meaning in (
        ("--name", _for_host, "a host's name in the inventory"),
        ("--address", _for_host, "its address, where the answer file has a name"),
        ("--interface", _for_hosts, "the interface with its address"),
        ("--provider-interface", _for_hosts, "its interface for the provider bridge"),
        ("--tunnel-address", _for_host, "its address for tunnels"),
    ):
        form = "HOST=VALUE" if given is _for_host else "[HOST=]VALUE"
        help_text = f"{meaning}; again for another host"
        parser.add_argument(option, type=given, action="append", default=[], metavar=form, help=help_text)
    parser.add_argument("--provider-network", default="", metavar="NAME", help="where there are several")
    parser.add_argument(
        "--tunnel-network",
        type=IPv4Network,
        metavar="NETWORK",
        help="hosts' addresses for tunnels end there as in the management network",
    )
    parser.add_argument(
        "--volume-device",
        action="append",
        default=[],
        metavar="/dev/NAME",
        help="an empty disk of the storage host, or one that has the volume group; again for another",
    )
    parser.add_argument(
        "--new-password",
        action="append",
        default=[],
        metavar="OPTION",
        help="make a new one instead; again for another",
    )
    parser.add_argument("--allow-weak-secrets", action="store_true", help="take short and known passwords")
    parser.add_argument("--image-sha256", default="", metavar="SUM", help="checksum of the demo's image")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    options = _parser().parse_args(arguments)
    try:
        choices = Choices(
            release=options.release,
            platform=options.platform,
            management_network=options.management_network,
            names=dict(options.name),
            addresses=dict(options.address),
            interfaces=dict(options.interface),
            provider_interfaces=dict(options.provider_interface),
            provider_network=options.provider_network,
            tunnel_network=options.tunnel_network,
            tunnel_addresses=dict(options.tunnel_address),
            volume_devices=options.volume_device,
            new_passwords=options.new_password,
            allow_weak_secrets=options.allow_weak_secrets,
            image_sha256=options.image_sha256,
        )
        result = translate(answers_file.read(options.answerfile), choices)
        folder = options.folder.resolve()
        texts = files(result, present_secrets(result, folder))
        folder.parent.mkdir(parents=True, exist_ok=True)
        check(texts, folder)
        done = write(texts, folder)
    except (Refusal, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(report(result))
    for name, what in done.items():
        print(f"{options.folder / name}: {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
