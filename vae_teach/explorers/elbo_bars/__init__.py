"""One thing to drag: its Python, JavaScript and style."""

from vae_teach.explorers.elbo_bars.elbo_bars import ElboBars

__all__ = ["ElboBars"]
