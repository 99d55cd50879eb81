"""One thing to drag: its Python, JavaScript and style."""

from vae_teach.explorers.latent_sliders.latent_sliders import LatentSliders

__all__ = ["LatentSliders"]
