"""Floor 5: things to drag: `LatentPlane` for two latent dimensions, `LatentSliders` for any, `Panel`
for controls over a picture of one's own.
"""

from vae_teach.explorers.latent_plane import LatentPlane
from vae_teach.explorers.latent_sliders import LatentSliders
from vae_teach.explorers.panel import Panel

__all__ = ["LatentPlane", "LatentSliders", "Panel"]
