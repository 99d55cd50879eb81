"""What every figure of the course is: pixels, alternative text and a caption."""

import base64
import html
import io

from PIL import Image

# The white behind a word that stands in a picture's way.
PLATE = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.85}


class Picture:
    """A drawn figure with alternative text and a caption.

    Attributes:
        figure: the matplotlib Figure.
        alt: what a reader who cannot see it needs to know.
        caption: data and settings, shown below.
    """

    def __init__(self, figure, alt, caption=""):
        self.figure, self.alt, self.caption = figure, alt, caption

    def png(self):
        """The picture as PNG bytes, in 128 colours to keep notebooks small."""
        drawn, small = io.BytesIO(), io.BytesIO()
        self.figure.savefig(drawn, format="png", dpi=100, facecolor="white")
        Image.open(drawn).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
            small, format="png", optimize=True
        )
        return small.getvalue()

    def _repr_html_(self):
        data = base64.b64encode(self.png()).decode()
        alt, caption = html.escape(self.alt), html.escape(self.caption)
        return (
            f'<figure style="margin:0"><img style="max-width:100%" alt="{alt}" '
            f'src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
        )

    def __repr__(self):
        """The alternative text, for readers of a notebook without pictures."""
        return f"[picture: {self.alt}]"
