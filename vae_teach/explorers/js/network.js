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

/** 3×3 convolution with one ring of zeros around, stride 1 or 2. */
function conv3(x, weights, at, inputs, outputs, stride, height, width) {
  const wide = width + 2, plane = wide * (height + 2), area = height * width;
  const rows = Math.ceil(height / stride), columns = Math.ceil(width / stride), size = rows * columns;
  const padded = new Float32Array(inputs * plane);
  for (let c = 0; c < inputs; c++)
    for (let y = 0; y < height; y++)
      padded.set(x.subarray(c * area + y * width, c * area + (y + 1) * width),
        c * plane + (y + 1) * wide + 1);
  const out = new Float32Array(outputs * size), biases = at + 9 * inputs * outputs;
  for (let o = 0; o < outputs; o++) {
    out.fill(weights[biases + o], o * size, (o + 1) * size);
    for (let k = 0; k < 9 * inputs; k++) {
      const weight = weights[at + o * 9 * inputs + k];
      const start = Math.floor(k / 9) * plane + Math.floor((k % 9) / 3) * wide + (k % 3);
      for (let y = 0; y < rows; y++) {
        const from = start + y * stride * wide, to = o * size + y * columns;
        for (let j = 0; j < columns; j++) out[to + j] += weight * padded[from + j * stride];
      }
    }
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
  clamp: (v) => (v > 0 ? (v < 1 ? v : 1) : 0),
};

/** What the layers make of x: a code, or an image channel by channel, row by row; float32.
 * `layers` is a list of [name, ...sizes]; `weights` holds each layer's weights, then its biases.
 * `shape` is x's: [channels, height, width] for an image that a convolution will read. */
export function evaluate(layers, weights, x, shape = [x.length]) {
  let at = 0;
  x = Float32Array.from(x);
  for (const [name, ...sizes] of layers) {
    if (name === "linear") {
      x = linear(x, weights, at, ...sizes);
      shape = [sizes[1]];
      at += (sizes[0] + 1) * sizes[1];
    } else if (name === "conv") {
      const [inputs, outputs, stride] = sizes;
      x = conv3(x, weights, at, inputs, outputs, stride, shape[1], shape[2]);
      shape = [outputs, Math.ceil(shape[1] / stride), Math.ceil(shape[2] / stride)];
      at += (9 * inputs + 1) * outputs;
    } else if (name === "upsample") {
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

/** The network that the widget's trait `name` refers to, as a function of x: see `evaluate`.
 * Explorers on one model refer to the same network, so that its weights travel once. */
export async function network(model, name) {
  const id = model.get(name).replace("IPY_MODEL_", "");
  const sent = await model.widget_manager.get_model(id);
  const layers = sent.get("layers"), weights = halves(sent.get("weights"));
  return (x, shape) => evaluate(layers, weights, x, shape);
}
