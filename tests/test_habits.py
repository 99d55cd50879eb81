"""How tests share the machine, and what is checked before a commit."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
COLLECT = """
import pytest, sys
class Groups:
    def pytest_collection_finish(self, session):
        for item in session.items:
            names = [mark.args[0] for mark in item.iter_markers("xdist_group")]
            print(item.nodeid, names, [mark.name for mark in item.iter_markers()], sep="\\t")
sys.exit(pytest.main(["--collect-only", "-qq", *sys.argv[1:]], plugins=[Groups()]))
"""


@pytest.fixture(scope="module")
def collected():
    """Of each test: its groups, the names of its markers."""
    where = "notebooks", "tests/chapters", "tests/browser", "tests/test_notebooks.py"
    told = subprocess.check_output([sys.executable, "-c", COLLECT, *where], text=True, cwd=ROOT)
    lines = [line.split("\t") for line in told.splitlines() if line.count("\t") == 2]
    assert len(lines) > 300
    return {name: (eval(groups), eval(marks)) for name, groups, marks in lines}


def test_what_belongs_together_stays_in_one_process(collected):
    files = defaultdict(set)
    for name, (groups, marks) in collected.items():
        assert len(groups) == 1, name
        if "slow" not in marks or "browser" in name:
            files[name.split("::")[0]].update(groups)
    assert all(len(groups) == 1 for groups in files.values()), files


def test_a_notebook_is_run_with_solutions_in_one_process_only(collected):
    runs = defaultdict(set)
    for name, (groups, marks) in collected.items():
        if "slow" in marks and "browser" not in name:
            runs[groups[0]].add(name.split("::")[0])
    sources = [path.stem.partition("_")[2] for path in ROOT.glob("notebooks/source/[0-9]*.py")]
    assert set(runs) == {f"solved {chapter}" for chapter in sources}
    for chapter in sources:
        both = {f"tests/chapters/test_{chapter}.py", "tests/test_notebooks.py"}
        assert runs[f"solved {chapter}"] == both


def test_what_measures_milliseconds_is_slow_too(collected):
    timed = [marks for _, marks in collected.values() if "timing" in marks]
    assert timed
    assert all("slow" in marks for marks in timed)


def test_one_thread_a_process():
    assert torch.get_num_threads() == int(os.environ["OMP_NUM_THREADS"])
    told = subprocess.check_output(
        [sys.executable, "-c", "import torch; print(torch.get_num_threads())"], text=True
    )
    assert int(told) == torch.get_num_threads()


def test_hooks_before_a_commit_need_no_network():
    yaml = pytest.importorskip("yaml")
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        module = re.match(r"\.venv/bin/python -m ([\w.]+)", hook["entry"])[1]
        command = [
            sys.executable,
            "-c",
            f"import importlib.util as u; assert u.find_spec({module!r})",
        ]
        subprocess.run(command, check=True, cwd=ROOT)
