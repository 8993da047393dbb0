"""The cloud's own CA, and the certificates it signs: the folder ``pki`` next to the inventory, 0700.

``python -m cloud.pki [INVENTORY]`` makes ``ca.pem`` with ``ca.key`` (10 years), ``server.pem`` for the public
and internal names and addresses, and ``host-NAME.pem`` for each host. Run again it renews what ends within 30
days, or is for other names than the inventory has now, and keeps the rest; ``--renew-all`` renews all of
them. A CA that is there is never replaced: everybody who trusts it would have to be told of the new one.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from pyinfra.api import State
from pyinfra.context import ctx_state
from pyinfra_cli.inventory import make_inventory

from cloud import certificates, inputs, secrets, tls
from cloud.model import Cloud


def _root(folder: Path, organization: str, now: datetime, done: list[str]) -> tuple[x509.Certificate, object]:
    """The CA, made where there is none.

    Raises:
        certificates.Unusable: what is there can't sign any more.
    """
    place, key_place = folder / tls.CA, folder / tls.CA_KEY
    cure = "everybody must be told of a new one: to make it, move the folder away and run this again"
    if place.exists() and not key_place.exists():
        raise certificates.Unusable(
            f"{key_place} is missing, without which {place} signs nothing: bring it back; {cure}"
        )
    if not key_place.exists():
        # First the key: a certificate without it would be of no use, and a key alone is taken up again.
        secrets.write(key_place, certificates.key_text(certificates.new_key()))
    key = certificates.read_key(key_place.read_text(), str(key_place))
    if not place.exists():
        secrets.write(place, certificates.text(certificates.make_root(key, organization, now)))
        done.append(f"{place}: made, a new CA; keep {key_place} safe: who has it can be any server")
    root = certificates.read_chain(place.read_text(), str(place))[0]
    if root.public_key() != key.public_key():
        raise certificates.Unusable(
            f"{key_place} is not the key of {place}: bring the right one back; {cure}"
        )
    if certificates.days_left(root, now) < 1:
        raise certificates.Unusable(f"{place} ended on {root.not_valid_after_utc:%Y-%m-%d}; {cure}")
    if certificates.days_left(root, now) < certificates.SERVER_DAYS:
        done.append(
            f"{place}: ends on {root.not_valid_after_utc:%Y-%m-%d}, and what it signs with it; {cure}"
        )
    return root, key


def _reason(place: Path, names: list[str], root: x509.Certificate, now: datetime) -> str | None:
    """Why a certificate must be made anew; None: it is as wanted."""
    if not place.exists():
        return "made"
    content = place.read_text()
    try:
        chain = certificates.read_chain(content, str(place))
        key = certificates.read_key(content, str(place))
    except certificates.Unusable:
        return "made anew: the file is broken"
    days = certificates.days_left(chain[0], now)
    if days < certificates.RENEW_DAYS:
        return f"renewed: {days:.0f} days were left"
    if sorted(certificates.names_of(chain[0])) != sorted(names):
        return "renewed: its names have changed"
    wrong = certificates.problems(chain, key, names, [root], now)
    return f"made anew: {wrong[0]}" if wrong else None


def renew(cloud: Cloud, folder: Path, now: datetime, everything: bool = False) -> list[str]:
    """Bring the folder up to date. A run that is killed is finished by the next one.

    Args:
        cloud: the model.
        folder: where the files are.
        now: the present, with its time zone.
        everything: renew also what would do for longer.

    Returns:
        What was done, a line each.

    Raises:
        certificates.Unusable: the CA that is there can't sign any more.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    done: list[str] = []
    organization = cloud.settings.cloud_name
    root, key = _root(folder, organization, now, done)
    wanted = {folder / tls.SERVER: tls.server_names(cloud)}
    wanted |= {folder / tls.host_file(node.name): tls.host_names(node) for node in cloud.nodes.values()}
    for place, names in wanted.items():
        reason = _reason(place, names, root, now) or ("renewed" if everything else None)
        if reason:
            secrets.write(place, certificates.make_server(names, root, key, organization, now))
            done.append(f"{place}: {reason}; for {', '.join(names)}")
    return done


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m cloud.pki", description=__doc__)
    parser.add_argument("inventory", nargs="?", default="inventory.py", help="default: inventory.py")
    parser.add_argument("--renew-all", action="store_true", help="renew every certificate, but not the CA")
    options = parser.parse_args(arguments)
    if not Path(options.inventory).is_file():
        print(f"no such inventory file: {options.inventory}", file=sys.stderr)
        return 1
    with ctx_state.use(State()):  # pyinfra notes in it which file it reads
        inventory = make_inventory(options.inventory, cwd=str(Path.cwd()))
    try:
        cloud = inputs.read(inventory, options.inventory, certified=False)
        folder = tls.folder_for(options.inventory)
        done = renew(cloud, folder, datetime.now(UTC), options.renew_all)
    except (inputs.InputError, certificates.Unusable, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print("\n".join(done) or f"{folder}: nothing to do")
    if cloud.settings.tls == "none" or cloud.settings.tls_certificate:
        other = "tls is 'none'" if cloud.settings.tls == "none" else "tls_certificate names another one"
        print(f"Nothing of this is used yet: {other} in group_data/all.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
