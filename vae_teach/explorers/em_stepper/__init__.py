"""One thing to drag: its Python, JavaScript and style."""

from vae_teach.explorers.em_stepper.em_stepper import EmStepper

__all__ = ["EmStepper"]
