"""Floor 5: the engine of what lives in a notebook's page: widgets, networks sent once, panels, inputs."""

from vae_teach.page.panel import Panel

__all__ = ["Panel"]
