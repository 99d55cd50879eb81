"""Floor 6: the list of chapters, and what one chapter alone uses, a folder each.

README's table, the course map, the site's pages and the links between chapters are made from the list.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chapter:
    """What the list says of a chapter.

    Attributes:
        name: of its folder here, and of its notebook after the number.
        title: as its notebook's heading has it, after the number.
        you_will: what a reader does in it, to follow the words "you will".
        limit: what it ends on, and the next one removes.
        minutes: that it takes with its exercises, without what is marked optional.
    """

    name: str
    title: str
    you_will: str
    limit: str
    minutes: int

    @property
    def number(self):
        """Its place in the course, from 0."""
        return CHAPTERS.index(self)

    @property
    def stem(self):
        """The name of its notebook's files, such as "05_vae"."""
        return f"{self.number:02}_{self.name}"

    @property
    def heading(self):
        """Number and title, as its notebook begins."""
        return f"{self.number:02} · {self.title}"


CHAPTERS = (
    Chapter(
        name="start_here",
        title="Start here",
        you_will="see what a generative model can do, and what p(C|x) leaves out",
        limit="what can such a model be made of?",
        minutes=45,
    ),
    Chapter(
        name="autoencoder",
        title="Autoencoder",
        you_will="find PCA in a linear autoencoder, compare losses, drag through a code "
        "map and its holes",
        limit="it compresses, but cannot generate",
        minutes=55,
    ),
    Chapter(
        name="denoising_contractive",
        title="Denoising and contractive autoencoders",
        you_will="corrupt and repair digits, find ∇log p in a denoiser",
        limit="noise helps, but gives no density",
        minutes=55,
    ),
    Chapter(
        name="bayes_elbo",
        title="Bayes and the ELBO",
        you_will="reach log p(x) ≥ ELBO by four roads, with a number on every line",
        limit="a density, but an integral nobody can do; a bound, but no gradient",
        minutes=60,
    ),
    Chapter(
        name="reparameterization",
        title="Reparameterization",
        you_will="send a gradient through a draw, and measure its noise",
        limit="a gradient through a draw, and nothing built with it yet",
        minutes=60,
    ),
    Chapter(
        name="vae",
        title="The variational autoencoder",
        you_will="write and train a VAE, drag through its latent plane, measure the gap "
        "of its bound",
        limit="why should its two terms weigh the same?",
        minutes=55,
    ),
    Chapter(
        name="beta_vae",
        title="β-VAE: what β trades",
        you_will="turn β from 0.05 to 20 in one network, find the error in three "
        "losses, measure disentanglement",
        limit="what is the encoder, if β only weighs it?",
        minutes=65,
    ),
    Chapter(
        name="em",
        title="EM and the VAE",
        you_will="climb one bound four ways, from a mixture of Gaussians to a linear VAE",
        limit="the same bound, climbed another way: where exact steps end",
        minutes=60,
    ),
)
