"""One thing to drag: its Python, JavaScript and style."""

from vae_teach.explorers.bubbles.bubbles import Bubbles
from vae_teach.explorers.bubbles.film import Film, Frame

__all__ = ["Bubbles", "Film", "Frame"]
