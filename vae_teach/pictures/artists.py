"""Quick moving parts for a panel's figure: pixels that matplotlib copies as they are."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont


class _Pixels(Artist):
    """RGBA pixels (H, W, 4) at a fixed place, in screen pixels from the figure's lower left corner."""

    def __init__(self, left, bottom, zorder):
        super().__init__()
        self.place = left, bottom
        self.set(animated=True, zorder=zorder)

    def draw(self, renderer):
        """Called by matplotlib."""
        context = renderer.new_gc()
        renderer.draw_image(context, *self.place, self.pixels)
        context.restore()


class Bitmap(_Pixels):
    """Grey pixels. matplotlib's own images are resampled at every drawing, most of a frame's time."""

    def __init__(self, left, bottom):
        super().__init__(left, bottom, zorder=-1)

    def show(self, grey):
        """Take uint8 (H, W), the first row at the top."""
        opaque = np.full_like(grey, 255)
        self.pixels = np.ascontiguousarray(np.dstack([grey, grey, grey, opaque])[::-1])


class Words(_Pixels):
    """A few words that change: drawn by PIL, as matplotlib takes half a millisecond a letter."""

    def __init__(self, figure, left, bottom, size):
        super().__init__(left, bottom, zorder=5)
        self.font = ImageFont.truetype(findfont("DejaVu Sans"), size)
        figure.add_artist(self)

    def say(self, words):
        """Take one or two lines."""
        ink = ImageDraw.Draw(Image.new("L", (1, 1)))
        right, bottom = ink.multiline_textbbox((0, 0), words, self.font)[2:]
        shade = Image.new("L", (int(right) + 2, int(bottom) + 2))
        ImageDraw.Draw(shade).multiline_text((0, 0), words, 255, self.font)
        self.pixels = np.zeros((shade.height, shade.width, 4), np.uint8)
        self.pixels[..., 3] = np.asarray(shade)[::-1]
