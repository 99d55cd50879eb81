"""Floor 5: things to drag.

Each in a folder of its own, computed in the page, following the pointer: `LatentPlane`, `LatentSliders`,
`DrawDigit`, `Interpolation`, `Bubbles` (with a `Film`), `BetaSlider`, `ElboBars`, `EmStepper`. What
the kernel computes is a `page.Panel`.
"""

from vae_teach.explorers.beta_slider import BetaSlider
from vae_teach.explorers.bubbles import Bubbles, Film
from vae_teach.explorers.draw_digit import DrawDigit
from vae_teach.explorers.elbo_bars import ElboBars
from vae_teach.explorers.em_stepper import EmStepper
from vae_teach.explorers.interpolation import Interpolation
from vae_teach.explorers.latent_plane import LatentPlane
from vae_teach.explorers.latent_sliders import LatentSliders

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
]
