"""How tests share the machine, and what is checked before a commit."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
SPEC = importlib.util.spec_from_file_location("its_conftest", ROOT / "tests" / "conftest.py")
its_conftest = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(its_conftest)
group = its_conftest.group


def test_a_chapter_s_run_is_made_in_one_process():
    chapters = [path.stem for path in ROOT.glob("notebooks/source/[0-9]*.py")]
    assert chapters
    for name in chapters:
        path = f"tests/chapters/test_{name.partition('_')[2]}.py"
        assert (ROOT / path).is_file()
        assert group(f"{path}::test_a[1]") == path
        assert group(f"tests/test_runs.py::test_it_runs[{name}]") == path
        assert group(f"tests/test_notebooks.py::test_cells_are_short[{name}]") != path
        assert group(f"notebooks/{name}.ipynb::Cell 3") == f"notebooks/{name}.ipynb"


def test_the_tests_that_are_grouped_are_there():
    text = (ROOT / "tests" / "test_runs.py").read_text("utf-8")
    assert len(re.findall(r"^@names\ndef test_\w+\(source, solved", text, re.MULTILINE)) > 2


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
