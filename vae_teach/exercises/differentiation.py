"""Whether a right answer's gradient is right, too, where the gradient is the lesson."""

import copy

import torch

from vae_teach.exercises.numbers import equal


def gradient_fault(exercise, answer, names):
    """A sentence if the gradient of a right answer is not the right one's, else None.

    The scalar that is differentiated is a sum of all outputs with different weights: a plain sum
    would not see, for instance, the gradient of a softmax. The inputs handed over are no leaves.
    """
    for trial in exercise.inputs:
        wanted = gradients(exercise, exercise.right, trial)
        try:
            given = gradients(exercise, answer, trial)
        except (Exception, SystemExit) as error:
            return (
                "the numbers are right, but inputs that ask for gradients raise "
                f"{type(error).__name__}: stay within torch, and change nothing in place."
            )
        missing = [
            names[place] for place, w in wanted.items() if w.any() and not given[place].any()
        ]
        if len(missing) and not any(g.any() for g in given.values()):
            return (
                "the numbers are right, but no gradient flows: you detached them, or left torch "
                "on the way (.detach(), .item(), .numpy(), torch.tensor, no_grad)."
            )
        if missing:
            return (
                f"the numbers are right, but no gradient reaches {missing[0]}: it was detached, "
                "or became plain numbers on the way."
            )
        for place, w in wanted.items():
            g = given[place]
            if not torch.isfinite(g).all() and torch.isfinite(w).all():
                return f"the numbers are right, but the gradient for {names[place]} is NaN or infinite."
            scale = w.abs().max().clamp(min=1e-6)
            if not equal(g / scale, w / scale, max(10 * exercise.tolerance, 1e-3)):
                return (
                    f"the numbers are right, but the gradient for {names[place]} is not: a part "
                    "of them was detached, or rounded."
                )
    return None


def gradients(exercise, answer, trial):
    """The gradients for the floating arguments of one trial: place -> double tensor."""
    with torch.inference_mode(False), torch.enable_grad():
        trial = copy.deepcopy(trial)
        leaves = {
            place: argument.requires_grad_()
            for place, argument in enumerate(trial)
            if isinstance(argument, torch.Tensor) and argument.is_floating_point()
        }
        inputs = [leaves[i].clone() if i in leaves else a for i, a in enumerate(trial)]
        scalar = _scalar(exercise.ask(answer, *inputs))
        torch.set_grad_enabled(True)  # whatever the answer has done
        zeros = {place: torch.zeros_like(leaf) for place, leaf in leaves.items()}
        if scalar is None or not leaves:
            return {place: zero.double() for place, zero in zeros.items()}
        found = torch.autograd.grad(scalar, list(leaves.values()), allow_unused=True)
        return {
            place: (zeros[place] if g is None else g).detach().double()
            for place, g in zip(leaves, found, strict=True)
        }


def _scalar(output):
    """A weighted sum of all outputs that know where they came from, or None."""
    if isinstance(output, tuple | list):
        parts = [part for part in map(_scalar, output) if part is not None]
        return sum(parts) if parts else None
    if not isinstance(output, torch.Tensor) or not output.requires_grad or output.is_complex():
        return None
    flat = output.to_dense().flatten().double()
    return (flat * torch.linspace(1, 2, len(flat), dtype=torch.double)).sum()
