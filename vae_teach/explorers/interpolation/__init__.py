"""One thing to drag: its Python, JavaScript and style."""

from vae_teach.explorers.interpolation.interpolation import Interpolation

__all__ = ["Interpolation"]
