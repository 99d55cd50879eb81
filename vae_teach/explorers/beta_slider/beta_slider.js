// The β slider: images, KL a dimension and the point (R, D) of one network at every β.

import { received } from "../../page/network.js";
import { multiRate } from "./multi_rate.js";
import { add, explorer, gallery, paint, percent, picture, shown, slider, stored, write } from "../../page/common.js";

const STEPS = [-2, -10 / 7, -6 / 7, -2 / 7, 2 / 7, 6 / 7, 10 / 7, 2]; // of a traversal
const WIDTH = 380, LEFT = 54, RIGHT = 372, TOP = 8; // of both charts, in their own units
const BARS = 136, CURVE = 176; // their heights, without the labels below
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

const floats = (view) =>
  new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
const named = (i) => `z${String(i + 1).replace(/\d/g, (digit) => SUBSCRIPTS[digit])}`;

/** About `most` round numbers from low to high. */
function ticks(low, high, most = 5) {
  const power = 10 ** Math.floor(Math.log10((high - low) / most));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => (high - low) / s <= most);
  const made = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) made.push(+(i * step).toPrecision(6));
  return made;
}

/** An SVG with a frame, ticks and names: `x` and `y` are { low, high, name, marks }. Returns the group
 * `inside`, for what is drawn in it, and the places px(v), py(v). */
function chart(parent, height, label, x, y) {
  const px = (v) => LEFT + ((v - x.low) / (x.high - x.low)) * (RIGHT - LEFT);
  const py = (v) => TOP + ((y.high - v) / (y.high - y.low)) * height;
  const bottom = TOP + height, middle = (LEFT + RIGHT) / 2;
  const across = x.marks.map((v) => `<path d="M${px(v)} ${bottom}v5"/>
    <text x="${px(v)}" y="${bottom + 18}" text-anchor="middle">${v}</text>`);
  const up = y.marks.map((v) => `<path d="M${LEFT} ${py(v)}h-5"/>
    <text x="${LEFT - 8}" y="${py(v)}" dy=".35em" text-anchor="end">${v}</text>`);
  const turned = `transform="translate(11 ${TOP + height / 2}) rotate(-90)" text-anchor="middle"`;
  const frame = add(parent, "div", { role: "img", "aria-label": label });
  frame.innerHTML = `<svg viewBox="0 0 ${WIDTH} ${bottom + 38}" aria-hidden="true">
    <g class="axes"><rect x="${LEFT}" y="${TOP}" width="${RIGHT - LEFT}" height="${height}"/>
      ${across.join("")}${up.join("")}
      <text x="${middle}" y="${bottom + 35}" text-anchor="middle">${x.name}</text>
      <text ${turned}>${y.name}</text></g><g class="inside"></g></svg>`;
  return { frame, inside: frame.querySelector(".inside"), px, py };
}

/** Bars of KL a dimension, most used first. Returns draw(kl, order, used). */
function bars(parent, count, highest, least, traversed) {
  const { frame, inside, px, py } = chart(parent, BARS, "",
    { low: 0, high: count, name: `dimension of z, most used first (×: below ${least})`, marks: [] },
    { low: 0, high: 1.06 * highest, name: "KL, nats", marks: ticks(0, highest, 4) });
  const wide = px(1) - px(0), base = py(0), places = Array.from({ length: count }, (_, i) => px(i + 0.5));
  const numbers = places.map((middle, i) =>
    `<text class="number${i < traversed ? " strong" : ""}" x="${middle}" y="${base + 14}"></text>`);
  inside.innerHTML = `<path class="kl"/><path class="unused"/>${numbers.join("")}
    <path class="border" d="M0 ${TOP}V${base}"/>`;
  const labels = inside.querySelectorAll("text");
  const [bar, cross, border] = inside.querySelectorAll("path");
  return (kl, order, used) => {
    bar.setAttribute("d", order.map((dimension, i) => // all bars are one path: sooner painted
      `M${px(i + 0.12)} ${base}V${py(kl[dimension])}h${0.76 * wide}V${base}z`).join(""));
    cross.setAttribute("d", places.slice(used).map((middle) =>
      `M${middle - 3} ${base - 9}l6 6m0 -6l-6 6`).join(""));
    order.forEach((dimension, i) => {
      if (wide >= 12 || i < traversed) write(labels[i], String(dimension + 1));
    });
    border.style.transform = `translateX(${px(used)}px)`;
    border.style.display = used < count ? "" : "none";
    frame.setAttribute("aria-label",
      `Bars of KL a dimension. ${used} of ${count} dimensions are used; the most used ones are ${
        order.slice(0, traversed).map((i) => `z${i + 1} with ${shown(kl[i])}`).join(", ")} nats.`);
  };
}

/** The curve of R and D with the present point on it. Returns draw(rate, distortion). */
function curve(parent, betas, rate, distortion) {
  const most = Math.max(...rate), low = Math.min(...distortion), high = Math.max(...distortion);
  const right = 1.16 * most, room = 0.12 * (high - low), bottom = low - room, top = high + room;
  const { inside, px, py } = chart(parent, CURVE,
    "Curve of distortion D over rate R: D falls as R rises, from large β to small β.",
    { low: -0.04 * most, high: right, name: "rate R, nats", marks: ticks(0, right) },
    { low: bottom, high: top, name: "distortion D, nats", marks: ticks(bottom, top) });
  const at = (i) => `${px(rate[i]).toFixed(1)} ${py(distortion[i]).toFixed(1)}`;
  const marks = betaMarks(betas).map(([beta, i]) => `<circle r="4" cx="${px(rate[i])}" cy="${
    py(distortion[i])}"/><text x="${px(rate[i]) + 7}" y="${py(distortion[i]) - 6}">${
    beta === 1 ? "β = 1" : beta}</text>`);
  inside.innerHTML = `<path class="curve" d="M${betas.map((_, i) => at(i)).join("L")}"/>${marks.join("")}
    <path class="rate"/><path class="distortion"/><path class="point" d="M0 -8L8 0L0 8L-8 0Z"/>`;
  const [, down, left, point] = inside.querySelectorAll("path");
  return (i) => {
    point.style.transform = `translate(${px(rate[i])}px, ${py(distortion[i])}px)`;
    down.setAttribute("d", `M${at(i)}V${TOP + CURVE}`);
    left.setAttribute("d", `M${at(i)}H${LEFT}`);
  };
}

/** Values of β to name, each with the step nearest to it: round ones, and the ends. */
function betaMarks(betas) {
  const last = betas.length - 1, low = Math.log(betas[0]), high = Math.log(betas[last]);
  const round = [0.25, 1, 4].map((v) => [v, Math.round(((Math.log(v) - low) / (high - low)) * last)]);
  const inside = round.filter(([, i]) => i > 0.1 * last && i < 0.9 * last);
  return [[+betas[0].toPrecision(2), 0], ...inside, [+betas[last].toPrecision(2), last]];
}

async function build({ model, root, framed, follow, guard, send, until }) {
  const sent = await received(model, "decoder");
  const { turn, decode } = multiRate(sent.layers, sent.weights);
  const betas = model.get("betas"), distortion = model.get("distortion"), least = model.get("used");
  const shape = model.get("image_shape");
  const codes = floats(model.get("codes")), noise = floats(model.get("noise"));
  const kl = floats(model.get("kl")), d = kl.length / betas.length, count = noise.length / d;
  const rows = Array.from(betas, (_, i) => kl.subarray(i * d, (i + 1) * d));
  const rate = rows.map((row) => row.reduce((sum, v) => sum + v, 0));
  const order = rows.map((row) => Array.from(row, (_, i) => i).sort((a, b) => row[b] - row[a]));
  const used = rows.map((row) => row.filter((v) => v >= least).length);
  const traversed = Math.min(3, d);
  const say = (i) => `β = ${betas[i].toPrecision(3)}:  R = ${shown(rate[i], 1)},  D = ${
    shown(distortion[i], 1)},  R + D = ${shown(rate[i] + distortion[i], 1)} nats,  ${
    used[i]} of ${d} dimensions used`;

  const control = slider(root, {
    label: "β, the weight of the rate", min: 0, max: betas.length - 1, step: 1,
    value: model.get("step"), say, moved: guard((step) => send({ step })),
  });
  control.input.setAttribute("aria-label", "β, the weight of the rate, on a logarithmic scale");
  const scale = add(control, "span", { className: "scale", "aria-hidden": "true" });
  control.input.after(scale);
  for (const [beta, i] of betaMarks(betas))
    add(scale, "span", { textContent: beta }).style.left = percent(i, betas.length - 1);

  const panels = add(root, "div", { className: "panels" });
  const left = add(panels, "div", { className: "panel rows" });
  const right = add(panels, "div", { className: "panel charts" });
  const line = (name, kind) => {
    const row = add(left, "div", { className: `row ${kind}` });
    return { row, name: add(row, "span", { textContent: name }) };
  };
  const chooser = gallery(line("test images", "given").row, {
    label: "Test images: where the traversals start", images: model.get("images"), count, shape,
    names: (i) => `traverse from test image ${i + 1}`, chosen: guard((chosen) => send({ chosen })),
  });
  const strip = (name, kind, label, length) => {
    const made = line(name, kind);
    return Object.assign(made, {
      canvas: picture(made.row, length * (shape[2] + 2), shape[1] + 2, label),
    });
  };
  const strips = [
    strip("reconstructions", "decoder", "Reconstructions of the test images", count),
    strip("samples, z ~ p(z)", "prior", "Samples: decoded from codes drawn from the prior", count),
  ];
  for (let row = 0; row < traversed; row++) strips.push(strip("", "decoder", "", STEPS.length));
  const note = add(left, "p", { className: "note" });
  const drawBars = bars(right, d, kl.reduce((most, v) => Math.max(most, v)), least, traversed);
  const drawPoint = curve(right, betas, rate, distortion);

  const all = new Float32Array((2 * count + traversed * STEPS.length) * d);
  all.set(noise, count * d);
  const kept = new Map(); // the images at a step, as bytes: drawn from while the slider is dragged
  const imagesAt = (step) => {
    if (kept.has(step)) return kept.get(step);
    const chosen = model.get("chosen");
    const here = codes.subarray(step * count * d, (step + 1) * count * d);
    all.set(here);
    for (let row = 0, to = 2 * count * d; row < traversed; row++)
      for (const value of STEPS) {
        if (chosen < 0) all.fill(0, to, to + d);
        else all.set(here.subarray(chosen * d, (chosen + 1) * d), to);
        all[to + order[step][row]] = value;
        to += d;
      }
    turn(betas[step]);
    const bytes = Uint8Array.from(decode(all, all.length / d), (v) => 255 * v + 0.5);
    kept.set(step, new DataView(bytes.buffer));
    return kept.get(step);
  };
  let idle = 0;
  const prepare = guard((deadline) => { // one step at a time, while nothing else is to do
    idle = 0;
    if (deadline?.timeRemaining() < 10) return later();
    const step = model.get("step"), missing = [...betas.keys()].filter((i) => !kept.has(i));
    if (!missing.length) return;
    imagesAt(missing.reduce((a, b) => (Math.abs(b - step) < Math.abs(a - step) ? b : a)));
    later();
  });
  // Safari has no requestIdleCallback.
  const [ask, cancel] = window.requestIdleCallback
    ? [requestIdleCallback, cancelIdleCallback] : [(f) => setTimeout(f, 30), clearTimeout];
  const later = () => (idle ||= ask(prepare));
  until(() => cancel(idle));
  const draw = () => {
    const step = model.get("step"), chosen = model.get("chosen");
    control.show(step);
    chooser.show(chosen);
    const images = imagesAt(step);
    let index = 0;
    strips.forEach(({ canvas, name }, row) => {
      const dimension = order[step][row - 2];
      if (row > 1 && canvas.dimension !== dimension) {
        canvas.dimension = dimension;
        name.textContent = `${named(dimension)} from −2 to 2`;
        canvas.setAttribute("aria-label", `Traversal of ${named(dimension)} from −2 to 2`);
      }
      for (let i = 0; i < (row < 2 ? count : STEPS.length); i++)
        paint(canvas, stored(images, index++, shape), shape, 1 + i * (shape[2] + 2), 1);
    });
    write(note, `Last rows: the most used dimensions, one moved at a time, from ${
      chosen < 0 ? "z = 0" : `the code of test image ${chosen + 1}`}. Press a test image to change that.`);
    drawBars(rows[step], order[step], used[step]);
    drawPoint(step);
  };
  follow("chosen", () => {
    kept.clear();
    later();
  });
  follow("step chosen", framed(draw));
  draw(); // an error here keeps the still picture
  later();
}

export default explorer("vae-teach-beta-slider", build);
