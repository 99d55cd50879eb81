"""Questions about gradients, for exercises whose lesson is that one gets through."""

import torch

from vae_teach.exercises.judge import result


def with_gradients(answer, *inputs):
    """What an answer returns; in a trial with inputs that require gradients, their gradients.

    To be an exercise's `ask`. An exercise has trials of both kinds, those without gradients first, so
    that wrong numbers are spoken of before their gradients.

    Returns:
        The answer's result, or the gradients of its weighted sum in one row: zeros where nothing
        gets through, or where a detour by NumPy raises.
    """
    learning = [value for value in inputs if value.requires_grad]
    if not learning:
        return result(answer, *inputs)
    try:
        value = result(answer, *(value.clone() for value in inputs))
        weights = torch.arange(1.0, value.numel() + 1).cos().reshape(value.shape)
        gradients = torch.autograd.grad(
            (weights * value).sum(), learning, allow_unused=True, materialize_grads=True
        )
    except Exception:  # the trials before this one show what the learner's code raises by itself
        gradients = [torch.zeros_like(value) for value in learning]
    return torch.cat([gradient.flatten() for gradient in gradients])
