"""Write every configuration file of a cloud into a folder, without contacting a host.

``python -m cloud.render INVENTORY OUTDIR`` writes ``OUTDIR/HOST/etc/…``: files that the deploy owns as they
will be, and of files that it merges into the distribution's only the options it sets. Secrets are ``***``,
unless ``--secrets`` is given; what an operator has written into ``config_overrides`` stands there as it is.

It runs ``deploy.py`` and its tasks for each host, with operations that only note what they were asked for,
but for those that write configuration: what is rendered is what would be deployed.
``OUTDIR/HOST.operations`` lists the operations in their order: packages, units, databases, schema commands,
users, catalog entries.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pyinfra
from pyinfra.api import State
from pyinfra.context import ctx_host, ctx_state
from pyinfra_cli.inventory import make_inventory

from cloud import ini, inputs, lvm, templates
from cloud.model import Cloud, Node

# Lies in a folder that was rendered, and may be rendered again.
MARK = ".rendered"
HIDDEN = "***"


class Offline:
    """A host as a task sees it, without a connection.

    Args:
        host: pyinfra's.
        data: what an include gives beside the host's own data.
    """

    def __init__(self, host: Any, data: Mapping[str, Any] | None = None):
        self.name, self.groups = host.name, host.groups
        self.data = ChainMap(dict(data or {}), host.data.dict())

    def loop(self, items: Iterable[Any]) -> Iterator[Any]:
        """The items: their order among the hosts matters only where something is done."""
        return iter(items)

    def get_fact(self, fact: type, *_: Any, **__: Any) -> str:
        """What only the host can tell stands in the file as this."""
        return f"<{fact.__name__} of the host>"


class Recorder:
    """Takes the place of ``operations.config``.

    Attributes:
        files: path on the host -> content.
        operations: the lines that tell of every operation.
    """

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.operations: list[str] = []

    def note(self, operation: str, name: str | None, arguments: dict[str, Any]) -> None:
        """Note one operation, with those of its arguments that are plain words."""
        self.operations.append(f"{operation}: {name}")
        for key, value in arguments.items():
            values = value if isinstance(value, list | tuple | dict) else [value]
            if isinstance(value, dict):
                values = [f"{entry} = {text}" for entry, text in value.items()]
            # The model, and credentials, are the same in every operation.
            # Nor is it told how pyinfra goes about it.
            hidden = key.startswith("_") or key in ("admin", "known_users", "overrides", "password")
            if not hidden and not isinstance(value, Cloud | Node):
                self.operations += [f"    {key}: {_words(entry)}" for entry in values]

    def _note_file(self, operation, name, dest, user, group, mode):
        owner = f"{user or 'root'}:{group or 'root'}"
        self.note(operation, name, {"dest": dest, "owner": owner, "mode": mode or "640"})

    def merge(self, src, dest, overrides=None, name=None, user=None, group=None, mode=None, **data):
        """See ``operations.config.merge``."""
        self._note_file("config.merge", name, dest, user, group, mode)
        wanted = ini.read_wanted(templates.render(src, **data))
        wanted = ini.overlay(wanted, (overrides or {}).get(dest) or {})
        self.files[dest] = ini.merge(self.files.get(dest, ""), wanted)

    def file(
        self,
        dest,
        src=None,
        content=None,
        name=None,
        user=None,
        group=None,
        mode=None,
        directory=None,
        **data,
    ):
        """See ``operations.config.file``."""
        self._note_file("config.file", name, dest, user, group, mode)
        text = templates.render(src, **data) if content is None else content
        self.files[dest] = text if not text or text.endswith("\n") else f"{text}\n"

    def block(self, dest, src, name=None, user=None, group=None, mode=None, **data):
        """See ``operations.config.block``: our part alone."""
        self._note_file("config.block", name, dest, user, group, mode)
        self.files[dest] = templates.render(src, **data)


def _words(value: Any) -> str:
    """An argument as a reader wants it; a dataclass by its own words, which hide passwords."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(text)}" for key, text in value.items() if key != "password")
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class Noting(ModuleType):
    """A module whose functions, and those of its modules, only note that they were called."""

    def __init__(self, name: str, recorder: Recorder):
        super().__init__(name)
        self._recorder = recorder

    def __getattr__(self, name: str) -> Noting:
        if name.startswith("__"):
            raise AttributeError(name)
        return Noting(f"{self.__name__}.{name}", self._recorder)

    def __call__(self, *_: Any, name: str | None = None, **arguments: Any) -> None:
        operation = self.__name__.removeprefix("pyinfra.").removeprefix("operations.")
        self._recorder.note(operation, name, arguments)
        if operation == "lvm.device_filter":
            # Only the host knows which disks it needs itself.
            accepted = [*arguments["accept"], "<disks that the host runs from>"]
            self._recorder.files["/etc/lvm/lvm.conf"] = lvm.set_filter("", accepted)


@contextmanager
def _in_place_of_pyinfra(cloud: Cloud, recorder: Recorder) -> Iterator[None]:
    """Give tasks the model, silent operations and the recorder; afterwards all is as before."""
    context, operations = ModuleType("tasks.context"), Noting("operations", recorder)
    context.cloud = cloud
    operations.config = recorder
    ours = {
        "tasks.context": context,
        "operations": operations,
        "pyinfra.operations": Noting("pyinfra.operations", recorder),
    }
    before = {name: sys.modules.get(name) for name in ours}
    sys.modules.update(ours)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def render(inventory: Any, cloud: Cloud, deploy: Path = Path("deploy.py")) -> dict[str, Recorder]:
    """What every host gets: host -> files and operations.

    Args:
        inventory: pyinfra's; its hosts are not connected.
        cloud: the model of it.
        deploy: the table of contents; the tasks it includes lie beside it.

    Raises:
        TemplateProblem, ValueError: a template or an override that can't be rendered.
    """
    codes: dict[str, CodeType] = {}

    def execute(path: Path) -> None:
        if str(path) not in codes:
            codes[str(path)] = compile(path.read_text(), str(path), "exec")
        exec(codes[str(path)], {"__name__": path.stem, "__file__": str(path)})

    def include(name: str, data: Mapping[str, Any] | None = None) -> None:
        with ctx_host.use(Offline(current[0], data)):
            execute(deploy.parent / name)

    current: list[Any] = []
    local = ModuleType("pyinfra.local")
    local.include = include
    found = {}
    original, pyinfra.local = getattr(pyinfra, "local", None), local
    try:
        for host in inventory:
            recorder, current[:] = Recorder(), [host]
            with _in_place_of_pyinfra(cloud, recorder), ctx_host.use(Offline(host)):
                execute(deploy)
            found[host.name] = recorder
    finally:
        pyinfra.local = original
    return found


def inventory_at(path: str) -> Any:
    """pyinfra's inventory of a file; its hosts are not connected."""
    with ctx_state.use(State()):  # pyinfra notes in it which file it reads
        return make_inventory(path, cwd=str(Path.cwd()))


def write(rendered: dict[str, Recorder], folder: Path) -> None:
    """Write what was rendered, readable by the owner only.

    Raises:
        FileExistsError: the folder has something that was not rendered.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise FileExistsError(f"{folder} is not empty, and was not rendered: name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    (folder / MARK).touch()
    for host, recorder in rendered.items():
        (folder / f"{host}.operations").write_text("\n".join(recorder.operations) + "\n")
        for path, content in recorder.files.items():
            target = folder / host / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m cloud.render", description=__doc__.split("\n\n")[1])
    parser.add_argument("inventory")
    parser.add_argument("folder", metavar="OUTDIR", type=Path)
    parser.add_argument("--secrets", action="store_true", help="write the secrets themselves, and not ***")
    options = parser.parse_args(arguments)
    if not Path(options.inventory).is_file():
        print(f"no such inventory file: {options.inventory}", file=sys.stderr)
        return 1
    inventory = inventory_at(options.inventory)
    try:
        cloud = inputs.read(inventory, options.inventory)
        if not options.secrets:
            cloud = dataclasses.replace(cloud, secrets=dict.fromkeys(cloud.secrets, HIDDEN))
            if shown := cloud.certificates:
                hidden = dataclasses.replace(shown, server=HIDDEN, hosts=dict.fromkeys(shown.hosts, HIDDEN))
                cloud = dataclasses.replace(cloud, certificates=hidden)
        rendered = render(inventory, cloud)
        write(rendered, options.folder)
    except (inputs.InputError, ValueError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    count = sum(len(recorder.files) for recorder in rendered.values())
    print(f"{options.folder}: {count} files of {len(rendered)} hosts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
