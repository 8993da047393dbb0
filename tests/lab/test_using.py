"""docs/using.md as it stands: every command of it, in its order, on the lab's controller beside the demo."""

from __future__ import annotations

import re
import sys
import time

from conftest import ROOT, command, lab, sdk

PAGE = (ROOT / "docs" / "using.md").read_text()
FOLDER = "/tmp/using"
# A comment says what one would wait for: "… show …      # available, after some seconds".
WAITED = re.compile(r"(openstack .+?) +# (\S+(?=, )|TINY: disks .*).*")
LEFT = """
names = [item.name for kind in (
    cloud.compute.servers(all_projects=True), cloud.image.images(), cloud.network.networks(),
    cloud.network.routers(), cloud.network.security_groups(), cloud.block_storage.volumes(all_projects=True),
) for item in kind]
print(json.dumps([name for name in names if name.startswith("first-")]))
"""


def sections() -> dict[str, list[str]]:
    """Heading -> its commands; a line's end that goes on is joined."""
    found = {}
    for part in PAGE.split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        found[heading] = "".join(blocks).replace("\\\n", "").splitlines()
    return found


def script(commands: list[str]) -> str:
    """The commands for bash, which ends at the first that fails."""
    lines = ["set -euo pipefail", f"mkdir -p {FOLDER}", f"cd {FOLDER}", ". /root/demo-openrc.sh"]
    for line in commands:
        if match := WAITED.fullmatch(line):
            look, answer = match.groups()
            lines.append(f'for n in $(seq 60); do [ "$({look})" = "{answer}" ] && break; sleep 2; done')
            line = f'[ "$({look})" = "{answer}" ]'
        # Either way to log in, as the page says.
        lines.append(f"(\n{line}\n)" if line.startswith("export OS_CLOUD") else line)
    return "\n".join(lines) + "\n"


def run(*headings: str, address: str = "") -> str:
    lines = [line for heading in headings for line in sections()[heading]]
    text = script([line.replace("ADDRESS", address) for line in lines])
    done = lab("ssh", "controller", "bash -x -s", stdin=text, timeout=600)
    assert done.returncode == 0, done.output[-4000:]
    return done.stdout


def test_every_section_is_run_here():
    assert list(sections()) == [
        "Credentials", "Image", "Network and security group", "Instance", "Console", "Floating IP", "Volume",
        "Clean removal",
    ]  # fmt: skip


def test_an_instance_with_a_floating_ip_and_a_volume_comes_and_goes():
    run("Credentials", "Image", "Network and security group", "Instance")
    assert "vnc_auto.html" in run("Console")
    create, add = sections()["Floating IP"]
    created = lab("ssh", "controller", "bash -s", stdin=script([create]), check=True).stdout
    address = created.split()[-1]
    lab("ssh", "controller", "bash -s", stdin=script([add.replace("ADDRESS", address)]), check=True)
    # The page's own line, from where the page says; the instance may still be booting.
    (greeting,) = re.findall(r"`python3 -c '(.*?)'`", PAGE)
    end = time.monotonic() + 120
    while True:
        asked = command(sys.executable, "-c", greeting.replace("ADDRESS", address), timeout=180)
        if asked.returncode == 0 or time.monotonic() > end:
            break
        time.sleep(2)
    assert asked.stdout.startswith("TINY: first-instance"), asked.stderr
    run("Volume")
    run("Clean removal", address=address)
    lab("ssh", "controller", f"rm -r {FOLDER}", check=True)
    assert sdk(LEFT) == []
