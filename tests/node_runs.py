"""What node makes of the page's JavaScript: no browser, no kernel."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from vae_teach.page.files import PACKAGE, needed, text


def every_script():
    """The paths of all scripts that explorers load, such as "page/panel.js"."""
    own = [f"explorers/{p.name}/{p.name}.js" for p in (PACKAGE / "explorers").glob("*/")]
    own = [path for path in own if (PACKAGE / path).exists()]
    paths = {p for script in (*own, "page/panel.js") for p in needed(script)}
    return sorted(path for path in paths if path.endswith(".js"))


def write_scripts(folder, *paths):
    """Write these scripts, and all that they import, below a folder, for node as modules."""
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    wanted = {p for path in paths for p in needed(path) if p.endswith(".js")}
    for path in wanted:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text(path), "utf-8")


def node(source, given, *paths):
    """Run `source`, which finds `given` and what these scripts export; return what it `answer`s."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    with tempfile.TemporaryDirectory() as folder:
        write_scripts(Path(folder), *paths)
        imports = [f'Object.assign(globalThis, await import("./{path}"));' for path in paths]
        lines = [*imports, f"const given = {json.dumps(given)};"]
        lines += ["const answer = (value) => console.log(JSON.stringify(value));", source]
        program = Path(folder) / "run.js"
        program.write_text("\n".join(lines), "utf-8")
        done = subprocess.run([found, program], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
