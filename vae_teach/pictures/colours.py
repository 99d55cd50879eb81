"""The course's colours, written once: the page's style and script of colours are made from these."""

# One colour an object, the same in every chapter (from the colour-blind-safe set of Petroff 2021).
PRIOR, ENCODER, POSTERIOR, DECODER, KL = "#717581", "#3f90da", "#832db6", "#e76300", "#bd1f01"
LABELS = (  # of the ten digits; a digit is always named beside its colour (Tol 2021, adapted)
    *("#332288", "#0072b2", "#117733", "#882255", "#7a7a1f"),
    *("#c2475c", "#aa4499", "#c65200", "#1b8a7a", "#666666"),
)
COMPONENTS = (1, 7, 2)  # of LABELS: one a component of a mixture


def rgb(colour):
    """Red, green and blue of a colour written as "#rrggbb", each from 0 to 255."""
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def tint(colour, share):
    """A colour mixed with white: share 0 is white, 1 the colour; red, green, blue in [0, 1]."""
    return tuple(1 - share * (1 - part / 255) for part in rgb(colour))
