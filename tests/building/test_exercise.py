"""An exercise's stub and its solution come from one cell."""

import pytest

from vae_teach.building import build, exercise

FUNCTION = """def kl(mean, variance):  # (B, d) both -> (B,)
    # solution
    rest = mean**2 - 1

    def price(v):
        return v - v.log()

    return 0.5 * (price(variance) + rest).sum(1)


check_kl(kl)"""
NUMBER = """# In nats.
# solution
halves = 3 * 0.5
guess = halves

check_guess(guess)"""
METHODS = """class Model:
    def encode(self, x):
        # solution
        return x

    def decode(self, z):
        # solution
        return z"""
METHODS_STUB = """class Model:
    def encode(self, x):
        return ...

    def decode(self, z):
        return ..."""


@pytest.mark.parametrize(
    ("source", "stub"),
    [
        (FUNCTION, FUNCTION.split("    # solution")[0] + "    return ...\n\n\ncheck_kl(kl)"),
        (NUMBER, "# In nats.\nguess = ...\n\ncheck_guess(guess)"),
        (METHODS, METHODS_STUB),
    ],
)
def test_the_last_marked_statement_stays_without_its_value(source, stub):
    assert exercise.stub(source) == stub
    marks = [line for line in source.splitlines() if line.strip() == "# solution"]
    assert exercise.solution(source).splitlines() == [
        line for line in source.splitlines() if line not in marks
    ]


@pytest.mark.parametrize("source", ["def f(x):\n    return 2 * x", "x = 2\n# solution"])
def test_nothing_is_marked(source):
    with pytest.raises(ValueError, match="needs a line `# solution` above its solution"):
        exercise.stub(source)


def test_a_solution_needs_a_value():
    with pytest.raises(ValueError, match="ends on `return` or `name =`"):
        exercise.stub("def f(x):\n    # solution\n    for y in x:\n        print(y)")


def test_a_notebook_gets_the_stub_and_then_the_solution_folded():
    notebook = build.unexecuted(build.NOTEBOOKS / "source" / "05_vae.py")
    first = next(i for i, c in enumerate(notebook.cells) if "exercise" in build.tags(c))
    stub, solved = notebook.cells[first : first + 2]
    assert stub.source.splitlines()[1] == "    return ..."
    assert build.tags(solved) == ["solution"]
    assert solved.metadata.jupyter.source_hidden
    assert "source_hidden" not in stub.metadata.get("jupyter", {})
    assert solved.source.splitlines()[0] == stub.source.splitlines()[0]
    assert "..." not in solved.source
    assert "# solution" not in stub.source + solved.source


def test_put_in_solutions_leave_the_notebook_alone():
    notebook = build.unexecuted(build.NOTEBOOKS / "source" / "07_em.py")
    solved = build.with_solutions(notebook)
    for cell, put_in, after in zip(notebook.cells, solved.cells, solved.cells[1:], strict=False):
        if "exercise" in build.tags(cell):
            assert "return ..." in cell.source
            assert put_in.source == after.source
