"""An exercise is written once, with its solution; the stub that learners fill in is made from it.

    def kl_term(mean, variance):  # (B, d), (B, d) -> (B,)
        # solution
        return 0.5 * (variance + mean**2 - 1 - variance.log()).sum(1)


    check_kl(kl_term)

What stands under `# solution` is left out of the stub, to the end of its block, or outside of a block to
the next empty line. Only its last statement stays, with `...` for its value: here `return ...`.
"""

import ast
import re
import textwrap

# The mark, then lines at least as far in; empty ones only inside a block.
MARKED = re.compile(r"^( *)# solution\n((?:\1.+\n?|\n+(?=\1 *\S)(?= ))+)", re.MULTILINE)


def stub(source):
    """What a learner finds in the cell of this source.

    Raises:
        ValueError: nothing is marked, or what is marked does not end on a value.
    """
    if not MARKED.search(source):
        raise ValueError(f"An exercise needs a line `# solution` above its solution:\n{source}")
    return MARKED.sub(_asked, source)


def solution(source):
    """The same cell without the mark."""
    return MARKED.sub(r"\2", source)


def _asked(marked):
    """The last statement that is marked, with ... for its value."""
    indent, code = marked.groups()
    last = ast.parse(textwrap.dedent(code)).body[-1]
    if getattr(last, "value", None) is None:
        raise ValueError(f"A solution ends on `return` or `name =` and a value:\n{code}")
    last.value = ast.Constant(...)
    return indent + ast.unparse(last) + "\n" * code.endswith("\n")
