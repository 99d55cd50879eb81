"""Choose the newest versions that pyproject.toml allows, and write them down: `make constraints`.

constraints.txt gets every package that `make` installs; requirements.txt, which lists what the image
installs, the same versions of those that it names. Then `make test` and `make test-slow` tell whether
they work together; git has the older ones.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONSTRAINTS, IMAGE_S = HERE / "constraints.txt", HERE / "requirements.txt"
OLDEST = "3.11"  # for 3.10 there is no current NumPy
ONLY = f' ; python_version >= "{OLDEST}"'
ABOUT = f"""\
# Versions that pass the tests together, so that a lab opens the same next year. Everything that
# requirements.txt installs keeps to them. One version serves all systems and Python {OLDEST} to 3.13; with
# 3.10 nothing is held, and pyproject.toml's bounds have the say. `make constraints` writes this file anew.
"""


def resolved(kept=""):
    """The text of constraints.txt; versions in `kept`, an earlier one, stay where the bounds let them."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "constraints.txt"
        found.write_text(re.sub(rf"{re.escape(ONLY)}( and )?", _alone, kept), encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--extra=dev"]
        command += ["--universal", f"--python-version={OLDEST}", "--fork-strategy=fewest"]
        command += ["--no-annotate", "--no-header", "--quiet", f"--output-file={found}"]
        subprocess.run(command, check=True, cwd=HERE.parent)
        lines = found.read_text(encoding="utf-8").splitlines()
    return ABOUT + "".join(f"{_from_oldest(line)}\n" for line in lines)


def image_s(constraints):
    """The text of requirements.txt with the versions of constraints.txt."""
    text = IMAGE_S.read_text(encoding="utf-8")
    for name, version in re.findall(r"^([\w-]+)==(\S+)", constraints, re.MULTILINE):
        this = "[-_]".join(map(re.escape, name.split("-")))
        text = re.sub(rf"^({this})==[^+\s]+", rf"\g<1>=={version}", text, flags=re.MULTILINE)
    return text


def _alone(found):
    return " ; " if found[1] else ""


def _from_oldest(line):
    pin, semicolon, marker = line.partition(" ; ")
    return f"{pin}{ONLY}{f' and ({marker})' if semicolon else ''}"


if __name__ == "__main__":
    constraints = resolved()
    CONSTRAINTS.write_text(constraints, encoding="utf-8")
    IMAGE_S.write_text(image_s(constraints), encoding="utf-8")
