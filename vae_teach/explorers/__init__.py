"""Floor 5: things to drag.

In the page, following the pointer: `LatentPlane`, `LatentSliders`, `DrawDigit`, `Interpolation`,
`Bubbles` (with a `Film`), `BetaSlider`, `ElboBars`, `EmStepper`. In the kernel: `Panel`, for controls
over a picture of one's own, and the panels of the chapters, each in a room named after its subject.
"""

from vae_teach.explorers.beta_slider import BetaSlider
from vae_teach.explorers.bubbles import Bubbles
from vae_teach.explorers.draw_digit import DrawDigit
from vae_teach.explorers.elbo_bars import ElboBars
from vae_teach.explorers.em_stepper import EmStepper
from vae_teach.explorers.film import Film
from vae_teach.explorers.interpolation import Interpolation
from vae_teach.explorers.latent_plane import LatentPlane
from vae_teach.explorers.latent_sliders import LatentSliders
from vae_teach.explorers.panel import Panel

__all__ = [
    "BetaSlider",
    "Bubbles",
    "DrawDigit",
    "ElboBars",
    "EmStepper",
    "Film",
    "Interpolation",
    "LatentPlane",
    "LatentSliders",
    "Panel",
]
