"""The report of a verification, for people and for programs."""

import json

import pytest

from cloud.verdict import Report


@pytest.fixture
def report():
    report = Report()
    report.add("Units", "compute", "nova-compute", "active", "failed (failed),\nenabled", False)
    report.add("Ports", "controller", "nova 10.0.0.1:8774", "listening", "listening", True)
    report.add("Units", "compute", "chrony", "active", 7, True)
    return report


def test_a_table_for_each_section(report):
    assert report.tables() == "\n".join(
        [
            "Units",
            "host     check         expected    found                     verdict",
            "-------  ------------  ----------  ------------------------  ---------",
            "compute  nova-compute  active      failed (failed), enabled  FAILED",
            "compute  chrony        active      7                         ok",
            "",
            "Ports",
            "host        check               expected    found      verdict",
            "----------  ------------------  ----------  ---------  ---------",
            "controller  nova 10.0.0.1:8774  listening   listening  ok",
            "",
            "3 checks, 1 failed",
        ]
    )


def test_warnings_come_once_and_before_the_count(report):
    report.warn("something")
    report.warn("something")
    assert report.tables().endswith("Warnings\n- something\n\n3 checks, 1 failed")


def test_a_long_reason_is_cut_in_the_table_only(report, tmp_path):
    reason = "word " * 40
    report.add("Units", "compute", "long", "active", reason, False)
    (line,) = (line for line in report.tables().splitlines() if "long" in line)
    assert "…" in line
    assert len(line) < 140
    report.write(tmp_path / "report.json")
    assert reason in {c["found"] for c in json.loads((tmp_path / "report.json").read_text())["checks"]}


def test_the_report_for_programs(report, tmp_path):
    report.warn("something")
    report.write(tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["ok"] is False
    assert content["warnings"] == ["something"]
    assert content["checks"][1] == {
        "section": "Ports",
        "host": "controller",
        "check": "nova 10.0.0.1:8774",
        "expected": "listening",
        "found": "listening",
        "ok": True,
    }
    assert len(content["checks"]) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_only_a_report_that_checked_something_can_be_ok():
    report = Report()
    assert not report.ok
    assert report.last_line == "0 checks, 0 failed"
    report.warn("something")
    assert not report.ok
    report.add("Units", "compute", "chrony", "active", "active", True)
    assert report.ok
    report.add("Units", "compute", "nova-compute", "active", "failed", False)
    assert not report.ok
