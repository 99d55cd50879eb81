"""Floor 5: still pictures. One function, one picture, always with alternative text.

Every function returns a `Picture`, which a notebook shows by itself. None touches pyplot, so none
can close or draw into somebody else's figure.
"""

from vae_teach.pictures.colours import DECODER, ENCODER, KL, LABELS, POSTERIOR, PRIOR
from vae_teach.pictures.curves import curves, lines
from vae_teach.pictures.images import components, image_grid, image_rows, manifold
from vae_teach.pictures.picture import Picture

__all__ = [
    "DECODER",
    "ENCODER",
    "KL",
    "LABELS",
    "POSTERIOR",
    "PRIOR",
    "Picture",
    "components",
    "curves",
    "image_grid",
    "image_rows",
    "lines",
    "manifold",
]
