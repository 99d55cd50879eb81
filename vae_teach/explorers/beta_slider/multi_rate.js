// The decoder of a MultiRateVAE in the page: at one β it is a plain network, for many codes at once.

import { linear } from "../../page/network.js";

/** The decoder of these layers and weights, as `pack_decoder` in beta_slider.py makes them. Returns
 * - turn(beta): decode at this β from now on;
 * - decode(codes, count): the means of p(x|z), float32, image by image, of `count` codes in one
 *   Float32Array. The numbers returned are overwritten by the next call. */
export function multiRate(layers, weights) {
  const [[, lowest, highest], ...described] = layers;
  let at = 0;
  const blocks = described.map(([name, inputs, outputs]) => {
    const numbers = weights.subarray(at, (at += (inputs + 1) * outputs)), end = inputs * outputs;
    return { name, inputs, outputs, numbers, weight: numbers.subarray(0, end), bias: numbers.subarray(end) };
  });
  const named = (name) => blocks.find((block) => block.name === name);
  const apply = (name, x) => {
    const { numbers, inputs, outputs } = named(name);
    return linear(x, numbers, 0, inputs, outputs);
  };
  const plain = blocks.filter(({ name }) => name === "linear");
  const { inputs: latent, outputs: first } = plain[0], matrices = named("shares").outputs;
  const ofCode = named("out_of_code").weight; // (first, matrices × latent)
  const tiles = plain.map(({ weight, inputs, outputs }) => tiled(weight, inputs, outputs));
  const kept = plain.map(() => new Float32Array(0)); // what the layers made, room for the next call
  let scales, shifts;

  function turn(beta) {
    const middle = 0.5 * Math.log(lowest * highest), half = 0.5 * Math.log(highest / lowest);
    const seen = apply("condition", [(Math.log(beta) - middle) / half]).map(Math.tanh);
    const g = apply("shares", seen), both = apply("scale_and_shift", seen);
    scales = both.subarray(0, both.length / 2).map((v) => 1 + v); // one for each hidden unit
    shifts = both.subarray(both.length / 2);
    const matrix = Float32Array.from(plain[0].weight); // W + Σ g_k W_k
    for (let o = 0; o < first; o++)
      for (let k = 0; k < matrices; k++)
        for (let i = 0; i < latent; i++)
          matrix[o * latent + i] += g[k] * ofCode[(o * matrices + k) * latent + i];
    tiles[0] = tiled(matrix, latent, first, tiles[0]);
  }

  function decode(codes, count) {
    const rows = 4 * Math.ceil(count / 4), last = plain.length - 1;
    let x = codes, unit = 0;
    if (codes.length < rows * latent) (x = new Float32Array(rows * latent)).set(codes);
    plain.forEach(({ inputs, outputs, bias }, i) => {
      if (kept[i].length !== rows * outputs) kept[i] = new Float32Array(rows * outputs);
      const out = kept[i];
      products(x, rows, tiles[i], inputs, outputs, out);
      for (let n = 0; n < rows; n++)
        for (let o = 0, to = n * outputs; o < outputs; o++, to++) {
          const a = out[to] + bias[o];
          if (i === last) out[to] = 1 / (1 + Math.exp(-a));
          else out[to] = Math.max(0, scales[unit + o] * a + shifts[unit + o]);
        }
      unit += outputs;
      x = out;
    });
    return x.subarray(0, count * plain[last].outputs);
  }
  return { turn, decode };
}

/** A matrix (outputs, inputs) in blocks of four outputs, input by input, filled up with zeros. */
function tiled(matrix, inputs, outputs, to = new Float32Array(4 * Math.ceil(outputs / 4) * inputs)) {
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inputs; i++)
      to[((o >> 2) * inputs + i) * 4 + (o & 3)] = matrix[o * inputs + i];
  return to;
}

/** x (rows, inputs) times a tiled matrix: out (rows, outputs), rows a multiple of four. Four rows and
 * four outputs at a time make 16 sums out of 8 numbers read, and inputs that are 0 in all four rows,
 * a third of the hidden units, are left out: a quarter of the time of one row after the other. */
function products(x, rows, tiles, inputs, outputs, out) {
  const used = new Int32Array(inputs), four = new Float64Array(4 * inputs);
  const sums = new Float64Array(16);
  for (let n = 0; n < rows; n += 4) {
    let count = 0;
    for (let i = 0, p = n * inputs; i < inputs; i++, p++) {
      const a = x[p], b = x[p + inputs], c = x[p + 2 * inputs], d = x[p + 3 * inputs];
      if (a === 0 && b === 0 && c === 0 && d === 0) continue;
      const to = 4 * count;
      used[count++] = 4 * i;
      four[to] = a; four[to + 1] = b; four[to + 2] = c; four[to + 3] = d;
    }
    for (let o = 0; o < outputs; o += 4) {
      const tile = o * inputs, left = outputs - o;
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
      let c0 = 0, c1 = 0, c2 = 0, c3 = 0, d0 = 0, d1 = 0, d2 = 0, d3 = 0;
      for (let j = 0, k = 0; j < count; j++, k += 4) {
        const p = tile + used[j], a = four[k], b = four[k + 1], c = four[k + 2], d = four[k + 3];
        let w = tiles[p];
        a0 += w * a; b0 += w * b; c0 += w * c; d0 += w * d;
        w = tiles[p + 1];
        a1 += w * a; b1 += w * b; c1 += w * c; d1 += w * d;
        w = tiles[p + 2];
        a2 += w * a; b2 += w * b; c2 += w * c; d2 += w * d;
        w = tiles[p + 3];
        a3 += w * a; b3 += w * b; c3 += w * c; d3 += w * d;
      }
      sums[0] = a0; sums[1] = a1; sums[2] = a2; sums[3] = a3;
      sums[4] = b0; sums[5] = b1; sums[6] = b2; sums[7] = b3;
      sums[8] = c0; sums[9] = c1; sums[10] = c2; sums[11] = c3;
      sums[12] = d0; sums[13] = d1; sums[14] = d2; sums[15] = d3;
      for (let s = 0; s < 16; s++) if ((s & 3) < left) out[(n + (s >> 2)) * outputs + o + (s & 3)] = sums[s];
    }
  }
}
