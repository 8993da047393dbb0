"""Run every case in ``tests/operations/MODULE.operation/`` against ``operations.MODULE.operation``.

A case (YAML) is the operation's arguments, the answers of the facts it reads, and the literal commands it
must give. An answer of ``{"unreadable": "why"}`` is a fact that could not be read. ``fail`` shows as
``["report", [], {}]``.
"""

import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from pyinfra.context import ctx_host
from pyinfra_testing.operations import make_operation_tests
from pyinfra_testing.util import FakeFact

from facts import reading

for folder in sorted(Path(__file__).parent.glob("[!_]*.*/")):
    # Straight into the module: a second name for a class would run it twice.
    globals()[f"Operation {folder.name}"] = make_operation_tests("operations", folder.name, folder)


def read_from_case(fact, *, stdin=None, **arguments):
    """Stands in for ``facts.reading.read``: the fake host's facts answer, and no command runs."""
    answer = ctx_host.get().get_fact(fact, **arguments)
    if isinstance(answer, FakeFact):  # a fact without arguments
        answer = FakeFact({"answer": answer.data})["answer"]
    if isinstance(answer, dict) and "unreadable" in answer:
        return reading.Unreadable(answer["unreadable"])
    return answer


@pytest.fixture(autouse=True)
def answers_come_from_the_case(monkeypatch):
    # Without the harness's fake file system, which hides the templates.
    monkeypatch.setattr("pyinfra_testing.operations.patch_files", lambda files: nullcontext())
    real = reading.read
    for module in list(sys.modules.values()):
        if module.__name__.split(".")[0] in ("facts", "operations") and getattr(module, "read", None) is real:
            monkeypatch.setattr(module, "read", read_from_case)
