"""Floor 5: what an exercise is, and the one judge of all answers; chapters hold the exercises."""

from vae_teach.exercises.exercise import Exercise

__all__ = ["Exercise"]
