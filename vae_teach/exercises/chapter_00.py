"""Check of chapter 00: how exercises work, on the mean of some numbers."""

import torch

from vae_teach.exercises.verdict import judge


def check_mean(attempt):
    """Mean of a sample: (N,) -> ()."""
    x = torch.tensor([1.0, 2.0, 6.0, 7.0])
    print(
        judge(
            attempt,
            (x,),
            torch.mean,
            {
                "this is the sum; divide it by the number of values.": torch.sum,
                "divide by N, not by N − 1 (that is for a sample variance).": lambda x: (
                    x.sum() / (len(x) - 1)
                ),
            },
        )
    )
