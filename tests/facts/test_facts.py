"""Run every case in ``tests/facts/MODULE.Class/`` against ``facts.MODULE.Class``.

A case (YAML) is the fact's arguments, the literal command they give, a host's literal output, and the answer.
"""

from pathlib import Path

from pyinfra_testing.facts import make_fact_tests

for folder in sorted(Path(__file__).parent.glob("[!_]*.*/")):
    # Straight into the module: a second name for a class would run it twice.
    globals()[f"Fact {folder.name}"] = make_fact_tests("facts", folder.name, folder)
