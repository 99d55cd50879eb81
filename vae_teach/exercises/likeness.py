"""What an answer that is no known mistake has in common with the right one, said in a sentence.

Every function here takes lists over all trials: the answer's numbers, the right ones, in double
precision, and says something only if it holds in every trial and is no accident.
"""

import itertools
import math

import torch

LN_2 = math.log(2)
FUNCTIONS = {
    "the squares of the right ones: one square too many.": torch.square,
    "the roots of the right ones: no root belongs here.": torch.sqrt,
    "1 over the right ones: the fraction is upside down.": torch.reciprocal,
    "−1 over the right ones.": lambda w: -1 / w,
    "exp of the right ones: the logarithms are asked for.": torch.exp,
    "exp of minus the right ones.": lambda w: torch.exp(-w),
    "the logarithms of the right ones: leave the log out.": torch.log,
    "minus the logarithms of the right ones.": lambda w: -w.log(),
    "the right ones without their sign (absolute values).": torch.abs,
    "the right ones with all below 0 cut off.": lambda w: w.clamp(min=0),
    "the right ones less 1.": lambda w: w - 1,
    "1 less the right ones.": lambda w: 1 - w,
}


def likeness(answers, rights, arguments, names, same, bits=False):
    """The sentence for answers that are like the right ones, or None.

    Args:
        answers: the learner's numbers, a tensor for each trial.
        rights: the right numbers.
        arguments: what the answer was given, a tuple for each trial; tensors count.
        names: of the arguments, as the learner calls them.
        same: whether two tensors are equal within the exercise's tolerance.
        bits: whether bits are asked for, not nats.
    """

    def alike(some, others):
        return all(same(a, b) for a, b in zip(some, others, strict=True))

    for place, name in enumerate(names):
        if alike(answers, [trial[place] for trial in arguments]):
            return f"you returned {name} unchanged."
    if any(a.shape != b.shape for a, b in zip(answers, rights, strict=True)):
        return _of_another_shape(answers, rights, alike)
    if not all(torch.isfinite(b).all() for b in rights):
        return None
    values = torch.cat([a.flatten() for a in answers])
    if bad := (~torch.isfinite(values)).sum().item():
        return (
            f"{bad} of your {len(values)} numbers are NaN or infinite: look for a division by 0, "
            "the log or root of a number below 0, exp of a large one."
        )
    if _varies(rights):
        if torch.allclose(values, values[:1], rtol=1e-9):
            return f"every number you give is {values[0]:.4g}, whatever you are given."
        if sentence := (
            _multiple(answers, rights, alike, bits)
            or _by_length(answers, rights, arguments, names, same)
            or _shifted(answers, rights, alike)
            or _by_argument(answers, rights, arguments, names, same)
            or _in_another_order(answers, rights, alike)
        ):
            return sentence
        for words, function in FUNCTIONS.items():
            changed = [function(b) for b in rights]
            if _varies(changed) and alike(answers, changed):
                return f"your numbers are {words}"
        if sentence := _rounded(answers, rights) or _linear(answers, rights, alike):
            return sentence
        if alike([a.abs() for a in answers], [b.abs() for b in rights]):
            wrong = sum((a * b < 0).sum().item() for a, b in zip(answers, rights, strict=True))
            return f"the sizes are right, but {wrong} of {len(values)} signs are turned."
    return _partly(answers, rights, arguments, names, same)


def _varies(tensors):
    """Whether there are at least two numbers that differ by much more than a tolerance."""
    values = torch.cat([t.flatten() for t in tensors])
    if len(values) < 2 or not torch.isfinite(values).all():
        return False
    return bool(values.max() - values.min() > 0.01 * values.abs().max())


def _axes(tensor):
    """All sets of axes, the smaller first."""
    count = range(tensor.ndim)
    return [axes for n in count for axes in itertools.combinations(count, n + 1)]


def _said(axes):
    return f"ax{'i' if len(axes) == 1 else 'e'}s {', '.join(map(str, axes))}"


def _of_another_shape(answers, rights, alike):
    fits = [a.shape == b.shape for a, b in zip(answers, rights, strict=True)]
    first = fits.index(False)
    a, b = answers[first], rights[first]
    if a.ndim == b.ndim and sorted(a.shape) == sorted(b.shape):
        for order in itertools.permutations(range(a.ndim)):
            if all(t.ndim == a.ndim for t in answers) and alike(
                [t.permute(order) for t in answers], rights
            ):
                return f"the numbers are right, but transposed: {_shapes(a, b)}"
    ways = {"sum": torch.sum, "mean": torch.mean}
    for way, reduce in ways.items():
        if a.ndim > b.ndim and all(t.ndim == a.ndim for t in answers):
            for axes in _axes(a):
                if alike([reduce(t, dim=axes) for t in answers], rights):
                    return f"the {way} over {_said(axes)} is still missing: {_shapes(a, b)}"
        if a.ndim < b.ndim and all(t.ndim == b.ndim for t in rights):
            for axes in _axes(b):
                if alike(answers, [reduce(t, dim=axes) for t in rights]):
                    over = f"over {_said(axes)} of what is asked for"
                    return f"you took the {way} {over}: {_shapes(a, b)}"
    if any(fits) and a.ndim == b.ndim:  # a length is written as a number
        return f"the shape is right for some inputs only: {_shapes(a, b)}"
    return None


def _shapes(a, b):
    return f"shape {tuple(a.shape)} where {tuple(b.shape)} is expected."


def _factor(answer, right):
    """The factor that comes nearest, or None."""
    square = (right * right).sum()
    factor = ((answer * right).sum() / square).item() if square > 0 else 0.0
    return factor if abs(factor) > 1e-9 else None


def _multiple(answers, rights, alike, bits):
    factor = _factor(*(torch.cat([t.flatten() for t in side]) for side in (answers, rights)))
    if factor is None or not alike([a / factor for a in answers], rights):
        return None
    if math.isclose(factor, -1, rel_tol=1e-3):
        return "the sign is turned."
    sign = "the sign is turned, and " if factor < 0 else ""
    if math.isclose(abs(factor), 1 / LN_2, rel_tol=1e-3):
        if bits:
            return sign + "you divided by ln 2 once too often."
        return sign + "these are bits, nats are asked for: take the natural logarithm."
    if math.isclose(abs(factor), LN_2, rel_tol=1e-3):
        if bits:
            return sign + "these are nats, bits are asked for: divide by ln 2."
        return sign + "you multiplied by ln 2, which turns bits into nats; these are nats already."
    if math.isclose(abs(factor), 1 / math.log(10), rel_tol=1e-3):
        return sign + "this is the logarithm to the base 10: take the natural one."
    return f"your numbers are {_number(factor)} times the right ones."


def _number(x):
    """A number as a learner would write it: 2, 1/3, √2, 2π, or in four digits."""
    sign, size = "−" if x < 0 else "", abs(x)
    for unit, scale in (("", 1.0), ("π", math.pi)):
        for over in range(1, 13):
            times = round(size / scale * over)
            if 0 < times < 1000 and math.isclose(size / scale * over, times, rel_tol=1e-4):
                top = unit if unit and times == 1 else f"{times}{unit}"
                return f"{sign}{top}/{over}" if over > 1 else f"{sign}{top}"
    for root, value in (("√2", 2), ("√3", 3), ("√π", math.pi), ("√(2π)", 2 * math.pi)):
        for text, number in ((root, math.sqrt(value)), (f"1/{root}", 1 / math.sqrt(value))):
            if math.isclose(size, number, rel_tol=1e-4):
                return sign + text
    return f"{sign}{size:.4g}"


LENGTHS = {
    "your numbers are the right ones divided by {}: a mean where a sum belongs.": lambda n: 1 / n,
    "your numbers are the right ones times {}: a sum where a mean belongs.": lambda n: n,
    "divide by {}, not by one less.": lambda n: n / (n - 1),
    "divide by one less than {}.": lambda n: (n - 1) / n,
    "your numbers are the right ones divided by the root of {}.": lambda n: n**-0.5,
    "your numbers are the right ones times the root of {}.": lambda n: n**0.5,
}
SHIFTS = {
    "your numbers are too large by the logarithm of {}: it has to be subtracted.": math.log,
    "your numbers are too small by the logarithm of {}.": lambda n: -math.log(n),
    "your numbers are too large by half of {}.": lambda n: n / 2,
    "your numbers are too small by half of {}.": lambda n: -n / 2,
    "your numbers are too large by {}.": lambda n: n,
    "your numbers are too small by {}.": lambda n: -n,
}


def _by_length(answers, rights, arguments, names, same):
    """A factor or an offset that goes with the length of an axis of an argument."""
    for place, name in enumerate(names):
        column = [trial[place] for trial in arguments]
        if any(t is None or t.ndim != column[0].ndim for t in column) or column[0].ndim > 4:
            continue
        for axes in _axes(column[0]):
            lengths = [math.prod(t.shape[axis] for axis in axes) for t in column]
            if len(set(lengths)) == 1 or min(lengths) < 2:
                continue
            trials = list(zip(answers, rights, lengths, strict=True))
            length = f"the length of {_said(axes)} of {name}"
            for sentence, factor in LENGTHS.items():
                if all(same(a / factor(n), b) for a, b, n in trials):
                    return sentence.format(length)
            for sentence, shift in SHIFTS.items():
                if all(same(a - shift(n), b) for a, b, n in trials):
                    return sentence.format(length)
    return None


def _shifted(answers, rights, alike):
    shifts = torch.cat([(a - b).flatten() for a, b in zip(answers, rights, strict=True)])
    shift = shifts.mean().item()
    if alike([a - shift for a in answers], rights):
        way = "large" if shift > 0 else "small"
        return f"each of your numbers is too {way} by {_number(abs(shift))}."
    return None


WITH_ARGUMENT = {
    "too large by {}.": lambda b, t: b + t,
    "too small by {}.": lambda b, t: b - t,
    "the right ones times {}.": lambda b, t: b * t,
    "the right ones divided by {}.": lambda b, t: b / t,
    "the right ones times the square of {}.": lambda b, t: b * t**2,
    "the right ones divided by the square of {}.": lambda b, t: b / t**2,
    "too large by the logarithm of {}.": lambda b, t: b + t.log(),
    "too small by the logarithm of {}.": lambda b, t: b - t.log(),
    "the right ones times exp of {}.": lambda b, t: b * t.exp(),
    "the right ones divided by exp of {}.": lambda b, t: b / t.exp(),
}


def _by_argument(answers, rights, arguments, names, same):
    """A term or a factor too many, or missing, which is an argument or is made from it."""
    for place, name in enumerate(names):
        column = [trial[place] for trial in arguments]
        if any(t is None or not _broadcasts(t, b) for t, b in zip(column, rights, strict=True)):
            continue
        for words, way in WITH_ARGUMENT.items():
            changed = [way(b, t) for b, t in zip(rights, column, strict=True)]
            if _varies(changed) and all(map(same, answers, changed)):
                return f"your numbers are {words.format(name)}"
    return None


def _broadcasts(small, large):
    try:
        return torch.broadcast_shapes(small.shape, large.shape) == large.shape
    except RuntimeError:
        return False


def _in_another_order(answers, rights, alike):
    if len({t.ndim for t in rights}) > 1 or not rights[0].ndim or max(t.ndim for t in rights) > 4:
        return None
    count = rights[0].ndim
    for order in itertools.permutations(range(count)):
        turned = [a.permute(order) for a in answers]
        if all(a.shape == b.shape for a, b in zip(turned, rights, strict=True)):
            if alike(turned, rights):
                return "the numbers are right, but transposed."
    for axis in range(count):
        if alike([a.flip(axis) for a in answers], rights):
            return f"the numbers are right, but in reverse order along axis {axis}."
    if alike(*([t.flatten().sort().values for t in side] for side in (answers, rights))):
        return "the numbers are right, but in another order."
    return None


def _rounded(answers, rights):
    if not _varies(answers):
        return None
    ways = {"you cut the decimals off: give all of them.": torch.trunc}
    for digits in range(4):
        ways[f"you rounded to {digits} decimals: give all of them."] = lambda b, digits=digits: (
            b.round(decimals=digits)
        )
    for sentence, way in ways.items():
        pairs = zip(answers, map(way, rights), strict=True)
        if all(torch.allclose(a, b, rtol=1e-6, atol=1e-6) for a, b in pairs):
            return sentence
    return None


def _linear(answers, rights, alike):
    """A factor and an offset at once, where there are enough numbers to tell."""
    a, b = (torch.cat([t.flatten() for t in side]) for side in (answers, rights))
    if len(b) < 4:
        return None
    factor = _factor(a - a.mean(), b - b.mean())
    if factor is None or not alike([(t - a.mean()) / factor + b.mean() for t in answers], rights):
        return None
    offset = (a.mean() - factor * b.mean()).item()
    return (
        f"your numbers are {_number(factor)} times the right ones, "
        f"{'plus' if offset > 0 else 'less'} {_number(abs(offset))}."
    )


def _partly(answers, rights, arguments, names, same):
    """Right for some inputs, or in some of the places."""
    pairs = list(zip(answers, rights, strict=True))
    largest = max((a - b).abs().max().item() for a, b in pairs if a.numel())
    right = [same(a, b) for a, b in pairs]
    if any(right):
        given = described(arguments[right.index(False)], names, arguments[right.index(True)])
        where = f", and wrong for {given}" if given else ""
        return (
            f"it is right for {sum(right)} of {len(right)} inputs{where}: "
            f"there the largest difference is {largest:.4g}."
        )
    places = [
        torch.tensor([same(*pair) for pair in zip(a.flatten(), b.flatten(), strict=True)])
        for a, b in pairs
    ]
    count, total = sum(p.sum().item() for p in places), sum(map(len, places))
    if count >= 2 and 4 * count >= total:
        wrong = torch.nonzero(~places[0].reshape(answers[0].shape))[0].tolist()
        index = str(wrong[0] if len(wrong) == 1 else tuple(wrong))
        return (
            f"{count} of {total} numbers are right; the first wrong one is at index {index}, "
            f"and the largest difference is {largest:.4g}."
        )
    return None


def described(trial, names, besides=None):
    """The arguments of one trial: shapes, and the value of a single number; what others share not."""
    said = []
    for name, argument, other in zip(names, trial, besides or (None,) * len(trial), strict=True):
        if not isinstance(argument, torch.Tensor):
            continue
        if argument.ndim == 0 and (other is None or not torch.equal(argument, other)):
            said.append(f"{name} = {argument.item():.4g}")
        elif argument.ndim and (other is None or argument.shape != other.shape):
            said.append(f"{name} of shape {tuple(argument.shape)}")
    return ", ".join(said)
