"""Where a mistake is, seen from what an answer gives for other inputs than the exercise's own."""

import torch

from vae_teach.exercises.numbers import equal


def probe(given, right, inputs, names, same):
    """An argument that makes no difference, or values of one with which the answer is right; or None.

    Args:
        given: the learner's answer, asked: a list of inputs -> plain numbers for each, or None
            where it raises.
        right: the right one, likewise.
        inputs: the exercise's.
        names: of the arguments.
        same: whether two plain answers are equal.
    """
    a, b = given(inputs), right(inputs)
    floats = [
        place
        for place in range(len(names))
        if all(isinstance(t[place], torch.Tensor) and t[place].is_floating_point() for t in inputs)
    ]
    used = [
        place
        for place in floats
        if _differ(right(_with(inputs, place, _scaled)), b, tolerance=1e-6)
    ]
    for place in used:
        others = (given(_with(inputs, place, way)) for way in (_scaled, _negated, _reversed))
        if all(values is not None and _all_equal(values, a) for values in others):
            return f"{names[place]} makes no difference to your numbers, and it should."
    found = []
    for place in used:
        for number in (0, 1):
            changed = _with(inputs, place, lambda t, number=number: torch.full_like(t, number))
            if _agree(given, right, changed, same):
                found.append((f"{names[place]} is {number}", names[place]))
                break
    if found:
        places = " or ".join(words for words, _ in found[:2])
        return f"your numbers are right where {places}: look at what you do with {found[0][1]}."
    for place in used:
        for other in used[used.index(place) + 1 :]:
            if all(t[place].shape == t[other].shape for t in inputs):
                changed = [(*t[:other], t[place].detach().clone(), *t[other + 1 :]) for t in inputs]
                if _agree(given, right, changed, same):
                    return (
                        f"your numbers are right where {names[place]} and {names[other]} are equal: "
                        "look at how you combine them."
                    )
    return None


def _with(inputs, place, way):
    """The inputs with one argument changed."""

    def changed(t):
        return way(t.detach()).requires_grad_(t.requires_grad)

    return [tuple(changed(t) if n == place else t for n, t in enumerate(trial)) for trial in inputs]


def _all_equal(some, others):
    return all(equal(*pair, 1e-9) for pair in zip(some, others, strict=True))


def _differ(some, others, tolerance):
    """In every trial."""
    return some is not None and not any(
        equal(*pair, tolerance) for pair in zip(some, others, strict=True)
    )


def _agree(given, right, inputs, same):
    """Whether an answer is right for these, and the right one is finite, not 0, not everywhere one."""
    wanted = right(inputs)
    if wanted is None or not all(isinstance(b, torch.Tensor) for b in wanted):
        return False
    values = torch.cat([b.flatten() for b in wanted])
    if not torch.isfinite(values).all() or not values.any() or (values == values[0]).all():
        return False
    found = given(inputs)
    return found is not None and all(map(same, found, wanted))


def _scaled(t):
    """Other numbers of the same sign."""
    return t * torch.linspace(0.9, 0.8, t.numel()).to(t).reshape(t.shape)


def _negated(t):
    return -t


def _reversed(t):
    return t.flatten().flip(0).reshape(t.shape)
