"""Helper package of an interactive course on variational autoencoders.

A latent-variable model is three distributions: a prior p(z), a decoder p(x|z) and an
encoder q(z|x). Read the package in this order: `data`, `models`, `objectives`, `training`,
`evaluation`, `pictures`, `page`, `explorers`, `exercises`, `chapters`. Importing `vae_teach` itself
is light; import the module you need.
"""

__version__ = "0.1.0"
