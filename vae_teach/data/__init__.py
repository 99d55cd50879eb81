"""Floor 1: images in, tensors out. `load(name)` is all a notebook needs."""

from vae_teach.data.image_set import Factors, ImageSet, NoData
from vae_teach.data.load import course_set, load

__all__ = ["Factors", "ImageSet", "NoData", "course_set", "load"]
