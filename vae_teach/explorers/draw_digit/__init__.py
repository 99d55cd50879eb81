"""One thing to drag: its Python, JavaScript and style."""

from vae_teach.explorers.draw_digit.draw_digit import DrawDigit

__all__ = ["DrawDigit"]
