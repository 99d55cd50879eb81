"""Floor 0: a line that any console can print."""

import sys


def say(line):
    """Print a line; what the console's encoding lacks, such as μ in many of Windows', becomes "?"."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(line.encode(encoding, "replace").decode(encoding))
