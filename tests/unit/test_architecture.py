"""The layout's rules that a reader relies on: who may import whom, and what a task may hold."""

import ast
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from cloud.platforms import PLATFORMS
from cloud.services import SERVICES

ROOT = Path(__file__).parents[2]
OURS = {"cloud", "facts", "operations", "tasks", "lab", "tests"}
# Arrows point one way: deploy.py -> tasks -> operations, facts -> cloud.
MAY_IMPORT = {
    "cloud": {"cloud", "pydantic", "jinja2", "tabulate"},
    # A command line that runs the tasks, and so reads an inventory as pyinfra does.
    "cloud/render.py": {"cloud", "pyinfra", "pyinfra_cli"},
    "cloud/pki.py": {"cloud", "cryptography", "pyinfra", "pyinfra_cli"},
    "cloud/certificates.py": {"cryptography"},
    "cloud/tls.py": {"cloud", "cryptography"},
    "facts": {"cloud", "facts", "pyinfra", "paramiko"},
    "operations": {"cloud", "facts", "operations", "pyinfra", "gevent"},
    "tasks": {"cloud", "facts", "operations", "tasks", "pyinfra"},
}
TASKS = sorted(path for path in (ROOT / "tasks").glob("*.py") if path.name != "__init__.py")


def imports(path):
    """The top-level packages that a file imports, without Python's own."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or ".").split(".")[0])
    return found - set(sys.stdlib_module_names)


def operation_calls(path):
    """Every call of an operation in a task: ``MODULE.operation(…)``."""
    tree = ast.parse(path.read_text())
    modules = {
        alias.asname or alias.name: import_module(f"{node.module}.{alias.name}")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("operations", "pyinfra.operations")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            module = modules.get(getattr(node.func.value, "id", ""))
            # What @operation returns keeps the generator as _inner.
            if hasattr(getattr(module, node.func.attr, None), "_inner"):
                yield node, {keyword.arg: keyword.value for keyword in node.keywords}


@pytest.mark.parametrize("package", [name for name in MAY_IMPORT if "/" not in name])
def test_arrows_point_one_way(package):
    for path in (ROOT / package).glob("*.py"):
        allowed = MAY_IMPORT.get(f"{package}/{path.name}", MAY_IMPORT[package])
        assert imports(path) <= allowed, path


def test_programs_for_the_hosts_need_nothing_of_ours():
    for path in (ROOT / "operations" / "remote").glob("*.py"):
        assert not imports(path) & (OURS | {"pyinfra"}), path


def test_what_the_operator_edits_imports_nothing():
    for path in [ROOT / "inventory.py", *(ROOT / "group_data").glob("*.py")]:
        tree = ast.parse(path.read_text())
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)], path


def test_nothing_takes_openstacksdks_name():
    assert not (ROOT / "openstack").exists()
    assert not (ROOT / "openstack.py").exists()


def test_deploy_is_the_table_of_contents():
    path = ROOT / "deploy.py"
    assert imports(path) == {"pyinfra"}
    included = re.findall(r'^local\.include\("(tasks/\w+\.py)"', path.read_text(), re.MULTILINE)
    # Run by name, when somebody wants them.
    alone = {"context.py", "resources.py", "rotate_keys.py", "smoke.py", "teardown.py"}
    alone |= {"recover_database.py", "recover_rabbitmq.py"}
    # In its place.
    alone.add("packstack.py")
    assert sorted(included) == sorted(f"tasks/{task.name}" for task in TASKS if task.name not in alone)
    assert included[0] == "tasks/preflight.py"
    assert included[-1] == "tasks/verify.py"


@pytest.mark.parametrize("path", TASKS, ids=lambda path: path.stem)
def test_every_operation_of_a_task_has_a_name(path):
    for call, keywords in operation_calls(path):
        assert "name" in keywords, f"line {call.lineno}"
        text = ast.unparse(keywords["name"]).strip("f'\"")
        assert text[0].isupper(), text
        assert not text.endswith("."), text


def test_operations_are_found_at_all():
    assert sum(1 for path in TASKS for _ in operation_calls(path)) > 50


@pytest.mark.parametrize("path", TASKS, ids=lambda path: path.stem)
def test_every_wait_says_how_long(path):
    for call, keywords in operation_calls(path):
        if "timeout" in keywords:
            seconds = ast.literal_eval(keywords["timeout"])
            assert f"{seconds} seconds at most" in ast.unparse(keywords["name"]), f"line {call.lineno}"
        elif call.func.attr == "answering":
            pytest.fail(f"line {call.lineno}: no timeout")


@pytest.mark.parametrize("path", TASKS, ids=lambda path: path.stem)
def test_a_task_asks_for_no_platform(path):
    conditions = [
        ast.unparse(node.test)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.If | ast.IfExp | ast.While)
    ]
    for condition in conditions:
        assert not re.search(r"platform|os_id|debian|\bel\b", condition), condition


@pytest.mark.parametrize("path", TASKS, ids=lambda path: path.stem)
def test_a_task_names_no_package_and_no_unit(path):
    names = {name for p in PLATFORMS.values() for packages in p.packages.values() for name in packages}
    names |= {unit for platform in PLATFORMS.values() for unit in platform.units.values()}
    # A service's own name is also its user's and its database's; others are keys of the table of paths.
    names -= set(SERVICES).union(*(platform.paths for platform in PLATFORMS.values()))
    texts = {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not texts & names


def test_no_template_asks_for_a_platform():
    for path in (ROOT / "templates").glob("*/*.j2"):
        assert "platform" not in re.sub(r"{#.*?#}", "", path.read_text(), flags=re.DOTALL), path
