// Many ellipses and their labels' signs on two canvases, quick enough to move them.

import { clip, inked, stamp } from "../../page/common.js";
import { SIGNS } from "../../page/plane.js";

const SIDE = 206; // the ellipses' pixels a side, half of the screen's: they are soft

/** Adds a filled ellipse of this weight and colour to the differences along each row of `sums`: four
 * numbers a pixel, weight, then red, green, blue times weight. Its cost grows with the ellipse's
 * height, not with its area: a browser's own fill of 500 large ellipses takes too long. */
function spread(sums, side, x, y, a, b, weight, colour) {
  const red = weight * colour[0], green = weight * colour[1], blue = weight * colour[2];
  const from = Math.max(0, Math.ceil(y - b - 0.5));
  const to = Math.min(side - 1, Math.floor(y + b - 0.5));
  for (let row = from; row <= to; row++) {
    const up = (row + 0.5 - y) / b;
    const reach = a * Math.sqrt(Math.max(0, 1 - up * up)); // rounded, it may lie below 0
    const start = row * (side + 2);
    const left = clip(x - reach, 0, side), right = clip(x + reach, 0, side);
    let pixel = left | 0, second = left - pixel, first = 1 - second, k = (start + pixel) << 2;
    sums[k] += first * weight;
    sums[k + 1] += first * red;
    sums[k + 2] += first * green;
    sums[k + 3] += first * blue;
    sums[k + 4] += second * weight;
    sums[k + 5] += second * red;
    sums[k + 6] += second * green;
    sums[k + 7] += second * blue;
    pixel = right | 0, second = right - pixel, first = 1 - second, k = (start + pixel) << 2;
    sums[k] -= first * weight;
    sums[k + 1] -= first * red;
    sums[k + 2] -= first * green;
    sums[k + 3] -= first * blue;
    sums[k + 4] -= second * weight;
    sums[k + 5] -= second * red;
    sums[k + 6] -= second * green;
    sums[k + 7] -= second * blue;
  }
}

/** A moment's ellipses over the square [-limit, limit]², as pixels: alpha, blue, green and red, a byte
 * each. Where many overlap, colours mix, whatever their order. `sums` holds 4 * side * (side + 2). */
export function paintEllipses(pixels, sums, side, values, labels, limit, colours) {
  const unit = side / (2 * limit), count = labels.length;
  sums.fill(0);
  for (let i = 0; i < count; i++) {
    const x = side / 2 + values[2 * i] * unit, y = side / 2 - values[2 * i + 1] * unit;
    const rx = values[2 * (count + i)] * unit, ry = values[2 * (count + i) + 1] * unit;
    const a = Math.max(rx, 0.7), b = Math.max(ry, 0.7), colour = colours[labels[i]];
    const faint = clip(30 / (a * b), 0.008, 0.16), line = 0.05 + 4.5 * faint; // if large, fainter
    spread(sums, side, x, y, a + 0.5, b + 0.5, line, colour);
    spread(sums, side, x, y, Math.max(0.1, a - 0.5), Math.max(0.1, b - 0.5), faint - line, colour);
  }
  for (let row = 0, to = 0, k = 0; row < side; row++, k += 8) {
    let weight = 0, red = 0, green = 0, blue = 0;
    for (let column = 0; column < side; column++, to++, k += 4) {
      weight += sums[k];
      red += sums[k + 1];
      green += sums[k + 2];
      blue += sums[k + 3];
      const part = 1 / weight, alpha = (255 * weight) / (1 + weight);
      pixels[to] = weight > 1e-3
        ? (alpha << 24) | ((blue * part) << 16) | ((green * part) << 8) | (red * part) : 0;
    }
  }
}

/** What they are drawn with: for each label its colour as [red, green, blue], and its sign's pixels. */
export function stamps(colours, scale) {
  return {
    colours: colours.map((colour) => { // the browser's words, such as oklab(…), as bytes
      const context = new OffscreenCanvas(1, 1).getContext("2d");
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
    }),
    signs: colours.map((_, label) => inked(12 * scale, (context) => {
      Object.assign(context, { textAlign: "center", textBaseline: "middle" });
      context.font = `600 ${9 * scale}px system-ui, sans-serif`;
      context.fillText(SIGNS[label], 0, 0);
    })),
  };
}

/** Two canvases to lay one over the other, of ellipses and of their signs, `side` pixels wide. Returns
 * them as `layers`, and draw(values, labels, limit, looks), which draws a moment with such stamps. */
export function manyEllipses(side) {
  const layers = [SIDE, side].map((size) => Object.assign(
    document.createElement("canvas"), { className: "layer", width: size, height: size }));
  const [below, above] = layers.map((canvas) => canvas.getContext("2d"));
  const ellipses = below.createImageData(SIDE, SIDE), signs = above.createImageData(side, side);
  const pixels = new Uint32Array(ellipses.data.buffer), sums = new Float32Array(4 * SIDE * (SIDE + 2));
  const draw = (values, labels, limit, looks) => {
    paintEllipses(pixels, sums, SIDE, values, labels, limit, looks.colours);
    below.putImageData(ellipses, 0, 0);
    signs.data.fill(0);
    const unit = side / (2 * limit);
    labels.forEach((label, i) => {
      const x = side / 2 + values[2 * i] * unit, y = side / 2 - values[2 * i + 1] * unit;
      stamp(signs, looks.signs[label], Math.round(x), Math.round(y), looks.colours[label]);
    });
    above.putImageData(signs, 0, 0);
  };
  return { layers, draw };
}
