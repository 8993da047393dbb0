"""Disposable hosts on one machine, for the demo and for the tests: see docs/lab.md."""
