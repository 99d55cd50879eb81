"""One-edit mutants of every solution, each held against its check.

    python tests/exercises/mutants.py                 all chapters
    python tests/exercises/mutants.py 05_vae em       only these
    python tests/exercises/mutants.py --unnamed vae   and list those answered by a distance only

A mutant is wrong if it gives something else than the solution on the exercise's inputs, on the same
after a change of numbers, and with axes shortened, as far as the solution can take them. Those that
are accepted though wrong are printed; the exit status is 1 if there are any.
"""

import argparse
import ast
import copy
import sys
import warnings
from collections import Counter
from pathlib import Path

import torch

from vae_teach.building import build, exercise
from vae_teach.chapters import CHAPTERS
from vae_teach.chapters.__main__ import exercises
from vae_teach.exercises.judge import judge
from vae_teach.exercises.numbers import equal, fitted, plain

SWAPPED = {
    "log": ("log2", "log10", "log1p", "exp"),
    "log2": ("log", "log10", "exp2"),
    "exp": ("exp2", "expm1", "log"),
    "sum": ("mean", "amax", "prod"),
    "mean": ("sum", "amax"),
    "amax": ("amin", "mean"),
    "var": ("std",),
    "square": ("abs", "sqrt", "exp"),
    "abs": ("square",),
    "sqrt": ("square", "abs"),
    "softmax": ("log_softmax", "logsumexp"),
    "logsumexp": ("sum", "amax", "softmax"),
    "softplus": ("relu", "logsigmoid", "sigmoid"),
    "logdet": ("det", "trace"),
    "stack": ("cat",),
    "entr": ("expit", "log"),
    "jacrev": ("hessian",),
    "eye": ("ones",),
}
OPERATORS = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.Sub),
    ast.Pow: (ast.Mult, ast.Div),
}
COMPARED = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
}


def edits(node, names):
    """What may stand in a node's place: one edit each."""
    match node:
        case ast.BinOp(left, op, right):
            for other in OPERATORS.get(type(op), ()):
                yield ast.BinOp(left, other(), right)
            yield left
            yield right
            if not isinstance(op, ast.Add | ast.Mult):
                yield ast.BinOp(right, op, left)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            for other in {value + 1, value - 1, value * 2, value / 2, -value} - {value}:
                whole = isinstance(value, int) and other == int(other)
                yield ast.Constant(int(other) if whole else other)
        case ast.UnaryOp(ast.USub(), operand):
            yield operand
        case ast.Compare(left, [op], [right]):
            for other in COMPARED.get(type(op), ()):
                yield ast.Compare(left, [other()], [right])
        case ast.Call(function, arguments, keywords):
            if isinstance(function, ast.Attribute):
                for other in SWAPPED.get(function.attr, ()):
                    called = ast.Attribute(function.value, other, ast.Load())
                    yield ast.Call(called, arguments, keywords)
                if not _is_library(function.value):
                    yield function.value
            if arguments and _is_library(getattr(function, "value", function)):
                yield arguments[0]
            if len(arguments) == 2:
                yield ast.Call(function, arguments[::-1], keywords)
            for place in range(len(arguments)):
                yield ast.Call(function, arguments[:place] + arguments[place + 1 :], keywords)
            for place in range(len(keywords)):
                yield ast.Call(function, arguments, keywords[:place] + keywords[place + 1 :])
        case ast.Name(name, ast.Load()) if name in names:
            for other in names:
                if other != name:
                    yield ast.Name(other, ast.Load())
        case ast.Attribute(value, "T", _) | ast.Subscript(value, _, ast.Load()):
            yield value
        case ast.Return(value):
            yield ast.Return(ast.UnaryOp(ast.USub(), value))
            for way in ("abs", "sum", "mean", "round", "exp", "sigmoid", "square"):
                yield ast.Return(ast.Call(ast.Attribute(value, way, ast.Load()), [], []))
            for sign, limit in ((1.0, "min"), (1.0, "max"), (0.0, "min"), (0.0, "max")):
                keywords = [ast.keyword(limit, ast.Constant(sign))]
                clamp = ast.Attribute(value, "clamp", ast.Load())
                yield ast.Return(ast.Call(clamp, [], keywords))


def _is_library(node):
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in {"torch", "math", "F", "np", "vmap"}


def mutants(source):
    """Every one-edit mutant of a function's source, once."""
    tree = ast.parse(source)
    body = tree.body[0]
    names = [argument.arg for argument in body.args.args]
    seen = {ast.unparse(tree)}
    count = sum(1 for _ in ast.walk(body))
    for place in range(count):
        for number in range(100):
            changed = copy.deepcopy(tree)
            node = list(ast.walk(changed.body[0]))[place]
            new = next((e for n, e in enumerate(edits(node, names)) if n == number), None)
            if new is None:
                break
            new = copy.deepcopy(new)
            changed = _Exchange(node, new).visit(changed)
            text = ast.unparse(ast.fix_missing_locations(changed))
            if text not in seen:
                seen.add(text)
                yield text


class _Exchange(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else super().generic_visit(node)


def function(source, name):
    """The function that a source defines, where notebooks import what solutions use."""
    space = {"torch": torch}
    exec("import math\nimport numpy as np\nfrom torch.nn import functional as F", space)
    exec("from torch.func import hessian, jacrev, vmap", space)
    exec(source, space)
    return space[name]


def solved(chapters=()):
    """(chapter, Exercise, source of the solution's function, its name) for every exercise."""
    known = {(chapter, name): found for chapter, name, found in exercises()}
    for chapter in CHAPTERS:
        if chapters and not {chapter.name, chapter.stem} & set(chapters):
            continue
        path = build.NOTEBOOKS / "source" / f"{chapter.stem}.py"
        for cell in build.unexecuted(path).cells:
            if "solution" in build.tags(cell):
                tree = ast.parse(exercise.solution(cell.source))
                called = next(n for n in tree.body if isinstance(n, ast.FunctionDef))
                check = ast.unparse(tree.body[-1].value.func).split(".")[-1]
                yield (
                    chapter.name,
                    check,
                    known[chapter.name, check],
                    ast.unparse(called),
                    called.name,
                )


def fresh(trial, draws):
    """A trial's arguments with other numbers of the same kind, and with each axis shortened."""
    yield trial
    for _ in range(2):
        yield tuple(_changed(argument, argument, draws) for argument in trial)
    for size in {n for t in trial if isinstance(t, torch.Tensor) for n in t.shape if n > 2}:
        yield tuple(_changed(_shortened(t, size), t, draws) for t in trial)


def _shortened(argument, size):
    if isinstance(argument, torch.Tensor):
        for axis, length in enumerate(argument.shape):
            if length == size:
                argument = argument.narrow(axis, 0, size - 1)
    return argument


def _changed(argument, before, draws):
    """Other numbers of the same sign and kind: distributions, covariances, directions stay such."""
    if not isinstance(argument, torch.Tensor) or not argument.is_floating_point():
        return argument
    factors = 0.5 + 0.5 * torch.rand(argument.shape, generator=draws, dtype=torch.double)
    factors = factors.to(argument)

    def ones(values):
        return torch.allclose(values, torch.ones_like(values), atol=1e-4)

    for axis in range(before.ndim):
        if ones(before.sum(axis)) and (before >= 0).all():
            mass = argument * factors
            return mass / mass.sum(axis, keepdim=True)
        if ones(before.exp().sum(axis)):
            return (argument * factors).log_softmax(axis)
    if before.ndim == 2 and before.shape[0] == before.shape[1] and torch.equal(before, before.T):
        return argument * factors[0] * factors[0][:, None]
    if before.ndim == 2 and ones((before @ before.T).diag()):
        return torch.linalg.qr((argument * factors).T).Q.T
    return argument * factors


def value(answer, trial, tolerance):
    """What a function gives for copies of arguments, plain; the kind of error where it raises."""
    try:
        return plain(answer(*copy.deepcopy(trial)))
    except Exception as error:
        return type(error).__name__


def examine(found, source, name, only=None):
    """(mutant, line of the judge, whether it is wrong) for mutants of a solution."""
    draws = torch.Generator().manual_seed(0)
    solution = function(source, name)
    pairs = []
    for trial in found.inputs:
        for arguments in fresh(trial, draws):
            right = value(solution, arguments, found.tolerance)
            if isinstance(right, torch.Tensor) and torch.isfinite(right).all():
                pairs.append((arguments, right))
    made = list(mutants(source))
    for mutant in made if only is None else made[:: max(1, len(made) // only)]:
        try:
            answer = function(mutant, name)
        except Exception:
            continue
        line = judge(found, answer)
        wrong = False
        for arguments, right in pairs:
            given, _ = fitted(value(answer, arguments, found.tolerance), right)
            scale = right.abs().max().clamp(min=1e-3) if right.numel() else 1.0
            near = isinstance(given, torch.Tensor) and equal(
                given / scale, right / scale, max(1e-3, 10 * found.tolerance)
            )
            if not near:
                wrong = True
                break
        yield mutant, line, wrong


def kind(line, found):
    """How a line of the judge names what is wrong."""
    said = line.removeprefix("Not yet: ")
    if line.startswith("Right"):
        return "accepted"
    if said in found.mistakes:
        return "known mistake"
    if line.startswith("Your function raised"):
        return "raised"
    if said.startswith(("the largest difference", "some of the numbers are NaN")):
        return "distance only"
    return "likeness"


def _edited(source, mutant):
    """The line that was edited."""
    pairs = zip(source.splitlines(), mutant.splitlines(), strict=True)
    return next(line for before, line in pairs if line != before).strip()


def main(chapters=(), unnamed=False, only=None):
    """Print the table; return the number of mutants accepted though wrong."""
    together, accepted = Counter(), 0
    kinds = ("known mistake", "likeness", "distance only", "raised", "equivalent", "accepted")
    print(f"{'':46}{''.join(f'{k:>15}' for k in kinds)}")
    for chapter, check, found, source, name in solved(chapters):
        counts = Counter()
        for mutant, line, wrong in examine(found, source, name, only):
            how = kind(line, found)
            how = "equivalent" if how == "accepted" and not wrong else how
            counts[how] += 1
            if how == "accepted" or (unnamed and how == "distance only"):
                print(
                    f"{how}: {chapter} {check}: {_edited(source, mutant)}", f"   {line}", sep="\n"
                )
        together += counts
        accepted += counts["accepted"]
        print(f"{f'{chapter} {check}':46}{''.join(f'{counts[k]:15}' for k in kinds)}")
    print(f"{'together':46}{''.join(f'{together[k]:15}' for k in kinds)}")
    named = together["known mistake"] + together["likeness"]
    share = named / max(1, named + together["distance only"])
    print(
        f"{share:.0%} of the wrong ones that run are named; {accepted} are accepted though wrong."
    )
    return accepted


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=Path(__file__).name)
    parser.add_argument("chapters", nargs="*")
    parser.add_argument("--unnamed", action="store_true")
    asked = parser.parse_args()
    sys.exit(bool(main(asked.chapters, asked.unnamed)))
