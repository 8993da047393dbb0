"""Packages of PyPI as files of an RPM: fetched by pip, held to a hash, and laid out as an installation is."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

from lab.el.stub.content import IMPORTED
from lab.shell import LabError, run


def unpack(requirement: str, root: Path) -> None:
    """Lay a wheel's files out below a root, where the hosts' Python looks for them.

    Args:
        requirement: a line of pip's requirements, with a version and a hash.
        root: the build's root.

    Raises:
        LabError: pip can't fetch it, or it is another file.
    """
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text(f"{requirement}\n")
        run(
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--only-binary=:all:", "--require-hashes", "--dest", folder, "--requirement", listed, timeout=300,
        )  # fmt: skip
        fetched = list(Path(folder).glob("*.whl"))
        if len(fetched) != 1:
            raise LabError(f"pip fetched {len(fetched)} wheels for {requirement}")
        with zipfile.ZipFile(fetched[0]) as wheel:
            for name in wheel.namelist():
                # NAME.data/data/ is the prefix itself, all other files are modules and what describes them.
                _, data, rest = name.partition(".data/data/")
                place = root / (f"usr/{rest}" if data else f"{IMPORTED.lstrip('/')}/{name}")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(wheel.read(name))
