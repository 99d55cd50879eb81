"""What an exercise is: a task, its right answer, the mistakes that are known, and hints."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vae_teach.exercises.judge import judge, result
from vae_teach.say import say


@dataclass(eq=False, repr=False)
class Exercise:
    """An exercise as data; called with a learner's answer, it prints one line.

    An answer is a function of the inputs (an nn.Module is one, too) or, without inputs, a value: a
    number, an array or tensor, a string that is chosen, a tuple of these. `right`, the mistakes and
    the further right forms are answers of the same kind as the learner's.

    Args:
        task: what is asked for: the arguments with their shapes -> the result's. `check?` shows it.
        right: the right answer, from another source than the solution.
        mistakes: sentence -> the answer that makes this mistake, the likeliest first.
        inputs: a tuple of arguments for each trial. An answer is right if it is right in every
            trial, and makes a mistake if it agrees with it in every trial. Copies are handed over.
        also_right: answers in other forms that a learner may write; the tests hand them in.
        hints: sentences, each a little plainer than the one before.
        tolerance: relative and absolute, of equal numbers.
        ask: (answer, *inputs) -> what is compared, where that is not simply what it returns, such as
            `gradients.with_gradients` where these are the lesson.

    Raises:
        TypeError: a trial's inputs are not a tuple.
    """

    task: str
    right: Any
    mistakes: dict[str, Any]
    inputs: list[tuple] | tuple[tuple, ...] = ((),)
    also_right: list | tuple = ()
    hints: tuple[str, ...] = ()
    tolerance: float = 1e-4
    ask: Callable = result

    def __post_init__(self):
        """Refuse one trial's arguments where a list of trials belongs."""
        if not all(isinstance(arguments, tuple) for arguments in self.inputs):
            raise TypeError("inputs holds one tuple of arguments for each trial: [(x, y), …].")
        self.__doc__ = self.task

    def __call__(self, answer):
        """Print what is right or wrong with an answer, in one line."""
        say(judge(self, answer))

    def hint(self, number=1):
        """Print a hint: 1 is the first, each further one says more."""
        there = 1 <= number <= len(self.hints)
        say(self.hints[number - 1] if there else f"There are {len(self.hints)} hints here.")
