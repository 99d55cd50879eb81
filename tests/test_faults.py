"""The table of faults is that of the marked tests."""

from types import SimpleNamespace

import faults
import pytest

ROWS = {
    ("Interrupts", "a", "b"): ["tests/test_x.py::test_one", "tests/test_x.py::test_two"],
    ("Memory", "c", "d"): ["tests/test_x.py::test_three"],
}


def report(test, outcome="passed", when="call", cases=1):
    """What pytest reports of one part of a test."""
    return SimpleNamespace(
        nodeid=f"tests/test_x.py::{test}",
        when=when,
        failed=outcome == "failed",
        skipped=outcome.startswith("Skipped"),
        longrepr=("file", 1, outcome),
        user_properties=[("cases", cases)] if cases else [],
    )


def seen(*reports, before=()):
    """The last column of the table after these reports."""
    writer = faults.Writer()
    for one in reports:
        writer.pytest_runtest_logreport(one)
    return list(faults.stored(faults.table(ROWS, writer.outcomes, dict(before))).values())


def test_what_is_stored_is_what_is_marked():
    kept = list(faults.stored(faults.TABLE.read_text("utf-8")))
    assert kept == list(faults.marked()), "`make test` renews tests/FAULTS.md"


def test_a_fault_is_named_once_and_fits_a_table():
    rows = list(faults.marked())
    assert len({row[:2] for row in rows}) == len(rows), "one expectation a fault"
    assert not [row for row in rows if "|" in "".join(row) or "\n" in "".join(row)]


def test_cases_are_counted():
    both = report("test_one[1]", cases=2), report("test_one[2]", cases=2), report("test_two")
    assert seen(*both) == ["3 of 3 passed", faults.NEVER]
    broken = report("test_three", "failed", "teardown")
    assert seen(report("test_three"), broken) == [faults.NEVER, "0 of 1 passed, 1 failed"]
    skipped = report("test_three", "Skipped: no browser", "setup")
    assert seen(skipped) == [faults.NEVER, "0 of 1 passed, 1 skipped: no browser"]


@pytest.mark.parametrize(
    "partly",
    [[], [report("test_one")], [report("test_one[1]", cases=2), report("test_two")]],
    ids=["none", "one of two tests", "one of two cases"],
)
def test_a_row_that_was_not_run_whole_stays_as_it_was(partly):
    before = {("Interrupts", "a", "b"): "9 of 9 passed", ("Memory", "gone", "e"): "1 of 1 passed"}
    assert seen(*partly, before=before) == ["9 of 9 passed", faults.NEVER]


def test_other_tests_are_no_matter():
    assert seen(report("test_three", cases=None)) == [faults.NEVER, faults.NEVER]


def test_every_case_of_a_marked_test_is_told_their_number():
    tests = [("x::test_a[1]", True), ("x::test_a[2]", True), ("x::test_b", False)]
    items = [
        SimpleNamespace(nodeid=name, get_closest_marker=lambda _, m=marked: m, user_properties=[])
        for name, marked in tests
    ]
    faults.count_cases(items)
    assert [item.user_properties for item in items] == [[("cases", 2)], [("cases", 2)], []]
