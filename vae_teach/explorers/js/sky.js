// Many ellipses and their labels' signs on two canvases, quick enough to move them.

import { clip, inked, stamp } from "./common.js";
import { SIGNS } from "./plane.js";

const SKY = 320; // the ellipses' pixels a side

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

/** A moment's ellipses over the square [-limit, limit]², as bytes of red, green, blue and alpha.
 * Where many overlap, colours mix, whatever their order. `sums` holds 4 * side * (side + 2). */
export function ellipsesTo(bytes, sums, side, values, labels, limit, colours) {
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
  for (let row = 0; row < side; row++) {
    let weight = 0, red = 0, green = 0, blue = 0, k = 4 * row * (side + 2), to = 4 * row * side;
    for (let column = 0; column < side; column++, to += 4) {
      weight += sums[k++];
      red += sums[k++];
      green += sums[k++];
      blue += sums[k++];
      if (weight > 1e-3) {
        bytes[to] = red / weight;
        bytes[to + 1] = green / weight;
        bytes[to + 2] = blue / weight;
        bytes[to + 3] = (255 * weight) / (1 + weight);
      } else bytes[to + 3] = 0;
    }
  }
}

/** For each label its colour as [red, green, blue], and its sign's pixels. */
export function stamps(colours, scale) {
  const side = 12 * scale, easel = document.createElement("canvas");
  easel.width = easel.height = side;
  const context = easel.getContext("2d", { willReadFrequently: true });
  Object.assign(context, { textAlign: "center", textBaseline: "middle" });
  context.font = `600 ${9 * scale}px system-ui, sans-serif`;
  return colours.map((colour, label) => {
    context.clearRect(0, 0, side, side);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1); // the browser's words for a colour, such as oklab(…), as bytes
    const rgb = [...context.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
    context.clearRect(0, 0, 1, 1);
    context.fillText(SIGNS[label], side / 2, side / 2);
    return { rgb, sign: inked(context, side) };
  });
}

/** Two canvases to lay one over the other, of ellipses and of their signs, `side` pixels wide. Returns
 * them as `layers`, and draw(values, labels, limit, looks), which draws a moment. */
export function sky(side) {
  const layers = [SKY, side].map((size) => Object.assign(
    document.createElement("canvas"), { className: "sky", width: size, height: size }));
  const [below, above] = layers.map((canvas) => canvas.getContext("2d"));
  const ellipses = below.createImageData(SKY, SKY), signs = above.createImageData(side, side);
  const sums = new Float32Array(4 * SKY * (SKY + 2));
  const draw = (values, labels, limit, looks) => {
    ellipsesTo(ellipses.data, sums, SKY, values, labels, limit, looks.map(({ rgb }) => rgb));
    below.putImageData(ellipses, 0, 0);
    signs.data.fill(0);
    const unit = side / (2 * limit);
    labels.forEach((label, i) => {
      const x = side / 2 + values[2 * i] * unit, y = side / 2 - values[2 * i + 1] * unit;
      stamp(signs, looks[label].sign, Math.round(x), Math.round(y), looks[label].rgb);
    });
    above.putImageData(signs, 0, 0);
  };
  return { layers, draw };
}
