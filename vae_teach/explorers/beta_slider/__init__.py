"""One thing to drag: its Python, JavaScript and style."""

from vae_teach.explorers.beta_slider.beta_slider import BetaSlider

__all__ = ["BetaSlider"]
