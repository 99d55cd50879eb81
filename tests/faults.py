"""FAULTS.md: what tests provoke on purpose, what is expected then, and what was seen.

A test of that kind says so: `@pytest.mark.fault("Interrupts", "Ctrl-C in training", "it ends there")`. With
`--faults`, as `make test` and `make test-slow` have it, a run writes the table: it renews the rows all of
whose tests it ran, and leaves the others as they are.
"""

import ast
import itertools
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE / "FAULTS.md"
SECTIONS = (
    "Interrupts",
    "Cached data",
    "Random state",
    "Silent input",
    "Remedies",
    "Lost work",
    "Files half written",
    "Encodings and warnings",
    "Cell order",
    "Without ipywidgets",
    "Memory",
    "Denormals",
    "Checks",
    "Kernel death",
)
ABOUT = """\
# Faults provoked on purpose

Made by `make test` and `make test-slow` from the tests that are marked so (`tests/faults.py`): what is
provoked, what is expected, and what the last run of these tests saw.
"""
NEVER = "not run yet"


def marked(folder=HERE):
    """The table's rows in order, as the tests' sources have them.

    Returns:
        dict of (section, fault, expected) -> list of marked functions, such as "tests/test_em.py::test_a".
    """
    rows = {}
    for path in sorted(folder.rglob("test_*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            for call in getattr(function, "decorator_list", []):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.fault":
                    row = tuple(ast.literal_eval(argument) for argument in call.args)
                    name = f"{path.relative_to(folder.parent).as_posix()}::{function.name}"
                    rows.setdefault(row, []).append(name)
    return dict(sorted(rows.items(), key=lambda item: SECTIONS.index(item[0][0])))


def count_cases(items):
    """Write into the marked tests what their reports must tell: how many cases their function has."""
    cases = Counter(_function(item.nodeid) for item in items)
    for item in items:
        if item.get_closest_marker("fault"):
            item.user_properties.append(("cases", cases[_function(item.nodeid)]))


class Writer:
    """A plugin that hears of each test, in whichever process it ran, and writes the table at the end."""

    def __init__(self):
        self.seen = {}  # function -> {test: outcome}
        self.cases = {}

    def pytest_runtest_logreport(self, report):
        """Keep the worst of what a test's three parts report."""
        cases = dict(report.user_properties).get("cases")
        if cases is None:
            return
        name = _function(report.nodeid)
        outcomes, self.cases[name] = self.seen.setdefault(name, {}), cases
        if report.failed:
            outcomes[report.nodeid] = "failed"
        elif report.skipped:
            outcomes[report.nodeid] = report.longrepr[2].removeprefix("Skipped: ")
        elif report.when == "call":
            outcomes.setdefault(report.nodeid, "passed")

    def pytest_sessionfinish(self):
        """Write the table."""
        before = stored(TABLE.read_text("utf-8")) if TABLE.exists() else {}
        TABLE.write_text(table(marked(), self.outcomes, before), "utf-8")

    def outcomes(self, function):
        """Those of all cases of a function, sorted; None if not all of them ran."""
        found = self.seen.get(function, {})
        return sorted(found.values()) if len(found) == self.cases.get(function) else None


def table(rows, outcomes, before):
    """The table's text.

    Args:
        rows: as `marked` gives them.
        outcomes: function -> list of "passed", "failed" or why a case was skipped, or None.
        before: dict of (section, fault, expected) -> what was seen in an earlier run.
    """
    text, section = [ABOUT], None
    for row, functions in rows.items():
        if row[0] != section:
            section = row[0]
            text.append(f"\n## {section}\n\n| fault | expected | seen |\n|---|---|---|\n")
        found = [outcomes(function) for function in functions]
        seen = before.get(row, NEVER) if None in found else _said(itertools.chain(*found))
        text.append(f"| {row[1]} | {row[2]} | {seen} |\n")
    return "".join(text)


def stored(text):
    """What a table's text says: dict of (section, fault, expected) -> seen, in its order."""
    found, section = {}, None
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif line.startswith("| ") and line != "| fault | expected | seen |":
            fault, expected, seen = line.strip("| ").split(" | ")
            found[section, fault, expected] = seen
    return found


def _said(outcomes):
    counts = Counter(outcomes)
    parts = [f"{counts['passed']} of {counts.total()} passed"]
    del counts["passed"]
    parts += [f"{counts.pop('failed')} failed"] if "failed" in counts else []
    parts += [f"{count} skipped: {why}" for why, count in sorted(counts.items())]
    return ", ".join(parts)


def _function(test):
    return test.partition("[")[0]
