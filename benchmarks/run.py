"""All benchmarks, one after the other; what they print is kept in RESULTS.md with the machine named.

Run `make bench`, or
    python benchmarks/run.py [name ...]
which measures only those named and leaves the others' results as they are. About 40 minutes; `soak`, half an
hour of random use, runs only by name.
"""

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "RESULTS.md"
COMMANDS = {
    "speed": ["speed.py"],
    "quality": ["quality.py"],
    "cold_start": ["cold_start.py"],
    "dragging": ["dragging.py"],
    "threads": ["threads.py"],
    "panels": ["panels.py"],
    "handwritten": ["handwritten.py"],
    "rate_distortion": ["rate_distortion.py", "--quick"],
    "soak": ["soak.py"],
}
ONLY_BY_NAME = {"soak"}  # half an hour


def machine():
    """One line: processor, cores, memory, versions, day."""
    try:
        processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text("utf-8"))[1]
        memory = f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f} GB, "
    except (OSError, TypeError, ValueError):
        processor, memory = platform.processor() or platform.machine(), ""
    return (
        f"{processor}, {os.cpu_count()} cores, {memory}{platform.system()}; "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}; {datetime.date.today()}"
    )


def measured(command):
    """Run one benchmark and show what it prints: that, or None where it broke; whether it failed."""
    command = [sys.executable, str(HERE / command[0]), *command[1:]]
    lines = []
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as complaints,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=complaints, text=True, encoding="utf-8"
        ) as process,
    ):
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip())
        missed = bool(process.wait())
        complaints.seek(0)
        complaint = complaints.read()
    if not lines or (missed and "Traceback" in complaint):
        print(f"{complaint}\n{command[1]} did not finish: its last results stay as they are.")
        return None, True
    return "\n".join(lines).strip("\n"), missed


def kept():
    """Sections of RESULTS.md: name -> text."""
    if not RESULTS.exists():
        return {}
    parts = re.split(r"^## (.*)\n", RESULTS.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", help=f"of {', '.join(COMMANDS)}; default: all but the soak"
    )
    names = parser.parse_args().names or [n for n in COMMANDS if n not in ONLY_BY_NAME]
    if unknown := set(names) - set(COMMANDS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    failed = 0
    for name in names:
        print(f"\n== {name}", flush=True)
        text, missed = measured(COMMANDS[name])
        failed |= missed
        if text is None:
            continue
        said = "\nA bound printed below is missed.\n" if missed else ""
        sections = kept() | {name: f"{machine()}\n{said}\n```\n{text}\n```"}
        body = "\n\n".join(f"## {n}\n{sections[n]}" for n in COMMANDS if n in sections)
        about = "What `make bench` printed last. Times move with the machine; compare ratios."
        RESULTS.write_text(f"# Measured\n\n{about}\n\n{body}\n", encoding="utf-8")
    sys.exit(failed)


if __name__ == "__main__":
    main()
