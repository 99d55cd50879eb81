"""One thing to drag: its Python, JavaScript and style."""

from vae_teach.explorers.latent_plane.latent_plane import LatentPlane

__all__ = ["LatentPlane"]
