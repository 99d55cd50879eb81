// Networks evaluated in the page: the layers of an nn.Sequential on one image or one code.

/** float16 numbers of a DataView (any offset, little endian) as float32. */
export function halves(view) {
  const out = new Float32Array(view.byteLength >> 1);
  for (let i = 0; i < out.length; i++) {
    const bits = view.getUint16(2 * i, true);
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    out[i] = bits & 0x8000 ? -size : size;
  }
  return out;
}

/** Weights (outputs, inputs), row by row from `at`, then the biases. */
export function linear(x, weights, at, inputs, outputs) {
  const out = weights.slice(at + inputs * outputs, at + (inputs + 1) * outputs); // the biases
  for (let o = 0; o < outputs; o++) {
    const row = at + o * inputs;
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += weights[row + i] * x[i];
    out[o] += sum;
  }
  return out;
}

/** An image within one ring of zeros. */
function ring(x, channels, height, width) {
  const wide = width + 2, out = new Float32Array(channels * (height + 2) * wide);
  for (let c = 0, from = 0; c < channels; c++)
    for (let y = 0; y < height; y++, from += width)
      out.set(x.subarray(from, from + width), (c * (height + 2) + y + 1) * wide + 1);
  return out;
}

/** What one input channel adds to one output channel: 3×3 convolution, stride 1 or 2. `x` is a ring's
 * image from `from` on, rows `wide` apart. In a function of its own, which compiles to quicker code. */
function add3(out, to, rows, columns, x, from, wide, stride, w, k) {
  const a = w[k], b = w[k + 1], c = w[k + 2], d = w[k + 3], e = w[k + 4], f = w[k + 5];
  const g = w[k + 6], h = w[k + 7], l = w[k + 8];
  for (let y = 0; y < rows; y++, from += stride * wide)
    for (let i = from, j = from + wide, m = j + wide, end = to + columns; to < end; to++) {
      out[to] += a * x[i] + b * x[i + 1] + c * x[i + 2] + d * x[j] + e * x[j + 1] + f * x[j + 2] +
        g * x[m] + h * x[m + 1] + l * x[m + 2];
      i += stride;
      j += stride;
      m += stride;
    }
}

/** The same for an image that is first doubled by repeating pixels. Each of four neighbours in `out`
 * sees only 2×2 pixels of x, so weights that meet the same pixel are added: 16 products, not 36. */
function add3doubled(out, to, rows, columns, x, from, wide, _stride, w, k) {
  const a = w[k], b = w[k + 1], c = w[k + 2], d = w[k + 3], e = w[k + 4], f = w[k + 5];
  const g = w[k + 6], h = w[k + 7], l = w[k + 8];
  const bc = b + c, ef = e + f, hl = h + l, dg = d + g, ad = a + d, ab = a + b, de = d + e, gh = g + h;
  const cf = c + f, fl = f + l, efhl = ef + hl, degh = de + gh, bcef = bc + ef, abde = ab + de;
  for (let y = 0; y < rows; y += 2, from += wide, to += columns) {
    let i = from, j = i + wide, m = j + wide, below = to + columns;
    let p = x[i], q = x[i + 1], r = x[j], s = x[j + 1], t = x[m], u = x[m + 1];
    for (const end = below; to < end; to += 2, below += 2) {
      const right = x[++i + 1], middle = x[++j + 1], low = x[++m + 1];
      out[to] += a * p + bc * q + (dg * r + efhl * s);
      out[to + 1] += ab * q + c * right + (degh * s + fl * middle);
      out[below] += ad * r + bcef * s + (g * t + hl * u);
      out[below + 1] += abde * s + cf * middle + (gh * u + l * low);
      p = q, q = right, r = s, s = middle, t = u, u = low;
    }
  }
}

/** 3×3 convolution with one ring of zeros around, stride 1 or 2; `doubled`: of the doubled image. */
function conv3(x, weights, at, inputs, outputs, stride, height, width, doubled) {
  const wide = width + 2, padded = ring(x, inputs, height, width), add = doubled ? add3doubled : add3;
  const rows = doubled ? 2 * height : Math.ceil(height / stride);
  const columns = doubled ? 2 * width : Math.ceil(width / stride), size = rows * columns;
  const out = new Float32Array(outputs * size);
  for (let o = 0, k = at; o < outputs; o++) {
    out.fill(weights[at + 9 * inputs * outputs + o], o * size, (o + 1) * size);
    for (let c = 0; c < inputs; c++, k += 9)
      add(out, o * size, rows, columns, padded, c * wide * (height + 2), wide, stride, weights, k);
  }
  return out;
}

/** Each 2×2 block repeated from one number (upsample), or reduced to its largest (maxpool). */
function upsample2(x, channels, height, width) {
  const out = new Float32Array(4 * x.length);
  for (let y = 0; y < 2 * channels * height; y++)
    for (let j = 0; j < 2 * width; j++) out[y * 2 * width + j] = x[(y >> 1) * width + (j >> 1)];
  return out;
}

function maxpool2(x, channels, height, width) {
  const out = new Float32Array(x.length >> 2).fill(-Infinity);
  for (let y = 0; y < channels * height; y++)
    for (let j = 0; j < width; j++) {
      const to = (y >> 1) * (width >> 1) + (j >> 1);
      out[to] = Math.max(out[to], x[y * width + j]);
    }
  return out;
}

const pointwise = {
  relu: (v) => (v > 0 ? v : 0),
  leaky_relu: (v, slope) => (v > 0 ? v : slope * v),
  tanh: Math.tanh,
  sigmoid: (v) => 1 / (1 + Math.exp(-v)),
  continuous_bernoulli: (t) => // its mean, 1/2 + (coth(t / 2) − 2 / t) / 2, and the series of that near 0
    0.5 + (Math.abs(t) < 0.01 ? t / 12 : 0.5 / Math.tanh(t / 2) - 1 / t),
  clamp: (v) => (v > 0 ? (v < 1 ? v : 1) : 0),
};

/** What the layers make of x: a code, or an image channel by channel, row by row; float32.
 * `layers` is a list of [name, ...sizes]; `weights` holds each layer's weights, then its biases.
 * `shape` is x's: [channels, height, width] for an image that a convolution will read. */
export function evaluate(layers, weights, x, shape = [x.length]) {
  let at = 0;
  x = Float32Array.from(x);
  for (const [index, [name, ...sizes]] of layers.entries()) {
    if (name === "linear") {
      x = linear(x, weights, at, ...sizes);
      shape = [sizes[1]];
      at += (sizes[0] + 1) * sizes[1];
    } else if (name === "conv") {
      const [inputs, outputs, stride] = sizes;
      const doubled = layers[index - 1]?.[0] === "upsample" && stride === 1;
      x = conv3(x, weights, at, inputs, outputs, stride, shape[1], shape[2], doubled);
      const factor = doubled ? 2 : 1 / stride;
      shape = [outputs, Math.ceil(shape[1] * factor), Math.ceil(shape[2] * factor)];
      at += (9 * inputs + 1) * outputs;
    } else if (name === "upsample") {
      const [next, , , stride] = layers[index + 1] ?? [];
      if (next === "conv" && stride === 1) continue; // which does it on its way
      x = upsample2(x, ...shape);
      shape = [shape[0], 2 * shape[1], 2 * shape[2]];
    } else if (name === "maxpool") {
      x = maxpool2(x, ...shape);
      shape = [shape[0], shape[1] >> 1, shape[2] >> 1];
    } else if (name === "unflatten") {
      shape = sizes;
    } else if (name === "flatten") {
      shape = [x.length];
    } else if (name in pointwise) {
      const f = pointwise[name];
      for (let i = 0; i < x.length; i++) x[i] = f(x[i], sizes[0]);
    } else throw new Error(`The page cannot evaluate the layer "${name}".`);
  }
  return x;
}

/** Layers and weights of the network that the widget's trait `name` refers to. Explorers on one model
 * refer to the same network, so that its weights travel once. */
export async function received(model, name) {
  const id = model.get(name).replace("IPY_MODEL_", "");
  const sent = await model.widget_manager.get_model(id);
  const bytes = Uint8Array.from(atob(sent.get("weights")), (letter) => letter.charCodeAt(0));
  return { layers: sent.get("layers"), weights: halves(new DataView(bytes.buffer)) };
}

/** That network as a function of x: see `evaluate`. */
export async function network(model, name) {
  const { layers, weights } = await received(model, name);
  return (x, shape) => evaluate(layers, weights, x, shape);
}
