"""What node makes of the pages' JavaScript: no browser, no kernel."""

import json
import shutil
import subprocess

import pytest

from vae_teach.page.web import script


def node(source, told, *modules):
    """Run these modules joined, then `source`, which finds `told` and returns by `answer(...)`."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    program = (
        f"{script(*modules)}\nconst told = {json.dumps(told)};\n"
        f"const answer = (value) => console.log(JSON.stringify(value));\n{source}"
    )
    command = [found, "--input-type=module", "-"]
    done = subprocess.run(command, input=program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
