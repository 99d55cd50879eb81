"""Floor 5: things to drag. `LatentPlane` for two latent dimensions, `LatentSliders` for any."""

from vae_teach.explorers.latent_plane import LatentPlane
from vae_teach.explorers.latent_sliders import LatentSliders

__all__ = ["LatentPlane", "LatentSliders"]
