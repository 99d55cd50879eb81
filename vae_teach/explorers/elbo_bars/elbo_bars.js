// ELBO bars: drag a Gaussian q over the posterior; ELBO and KL, stacked, always end at log p(x).

import {
  add, clip, draggable, explorer, percent, sharpness, shift, shown, slider, write,
} from "../../page/common.js";

const WIDE = 460, HIGH = 328, INSET = 44, FOOT = 286; // the plot, and where its axes meet
const BAR = 130, ROOF = 12; // the bars' plot; it has the same height and foot
const PEAK = 1 / Math.sqrt(2 * Math.PI); // density of N(0, 1) at 0
const ROWS = [ // of the sum: sign, name, mark
  ["", "E<sub>q</sub>[log p(x|z)]", "decoder"], ["−", "KL(q‖p(z))", "prior"],
  ["=", "ELBO", "elbo"], ["+", "KL(q‖p(z|x))", "gap"], ["=", "log p(x)", "posterior"],
];

/** float32 numbers of a DataView (any offset, little endian). */
export function singles(view) {
  const count = view.byteLength >> 2;
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}

/** log p(x) from log p(x, z) on a grid of this step. */
export function logEvidence(joint, step) {
  const top = joint.reduce((a, b) => Math.max(a, b), -Infinity);
  return top + Math.log(step * joint.reduce((sum, v) => sum + Math.exp(v - top), 0));
}

/** What q = N(mean, width²) makes of log p(x, z) and log p(z) on the grid start, start + step, ...:
 * E_q[log p(x|z)], KL(q‖p(z)), ELBO and KL(q‖p(z|x)) in nats, by sums. */
export function elboTerms(joint, prior, evidence, [start, step], mean, width) {
  const scale = Math.log((step * PEAK) / width);
  let total = 0, reconstruction = 0, rate = 0, elbo = 0;
  for (let i = 0; i < joint.length; i++) {
    const far = (start + i * step - mean) / width, logMass = scale - (far * far) / 2;
    const mass = Math.exp(logMass), logQ = logMass - Math.log(step);
    total += mass;
    reconstruction += mass * (joint[i] - prior[i]);
    rate += mass * (logQ - prior[i]);
    elbo += mass * (joint[i] - logQ);
  }
  return { reconstruction, rate, elbo, gap: total * evidence - elbo };
}

const path = (points) => `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`;

/** The plot of densities: `at(z, density)` is a place in its units, `from(x, y)` the way back;
 * `truth(points)` and, quick, as nothing else is painted again, `guess(points)` draw a curve. */
function densities(pad, view, top) {
  const [low, high] = view;
  const across = (WIDE - INSET - 8) / (high - low), up = (FOOT - ROOF) / top;
  const at = (z, density) => [INSET + (z - low) * across, FOOT - density * up];
  let ticks = "";
  for (let z = Math.ceil(low); z <= high; z++)
    ticks += `<path d="M${at(z, 0)}v5"/><text x="${at(z, 0)[0]}" y="${FOOT + 18}"
      text-anchor="middle">${shown(z, 0)}</text>`;
  for (let i = 0; i <= top / 0.5; i++)
    ticks += `<path d="M${at(low, i / 2)}h-5"/><text x="${INSET - 8}" y="${at(0, i / 2)[1]}"
      dy=".35em" text-anchor="end">${i / 2}</text>`;
  pad.insertAdjacentHTML("beforeend", `<svg viewBox="0 0 ${WIDE} ${HIGH}" aria-hidden="true">
    <path class="area"/><path class="truth"/>
    <g class="axes"><path d="M${INSET} ${ROOF}V${FOOT}H${WIDE - 8}" fill="none"/>${ticks}
      <text x="${INSET + 8}" y="${ROOF}" dy=".35em">density</text>
      <text class="name" x="${(INSET + WIDE) / 2}" y="${HIGH - 2}" text-anchor="middle">z</text>
    </g></svg>`);
  const canvas = add(pad, "canvas", { className: "guess" }), context = canvas.getContext("2d");
  return {
    at,
    truth(points) {
      for (const name of ["area", "truth"])
        pad.querySelector(`.${name}`).setAttribute("d", path(points));
    },
    guess(points) {
      const scale = ((pad.clientWidth || WIDE) * sharpness()) / WIDE;
      const [width, height] = [WIDE, HIGH].map((side) => Math.round(side * scale));
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      context.setTransform(scale, 0, 0, scale, 0, 0);
      context.clearRect(0, 0, WIDE, HIGH);
      context.beginPath();
      for (const place of points) context.lineTo(...place);
      context.lineWidth = 2.5;
      context.setLineDash([7, 4]);
      context.strokeStyle = getComputedStyle(canvas).color;
      context.stroke();
    },
    from(x, y) {
      const box = pad.getBoundingClientRect(), scale = WIDE / box.width;
      return [low + ((x - box.left) * scale - INSET) / across, (FOOT - (y - box.top) * scale) / up];
    },
  };
}

/** Bars from `floor` to `roof` nats: the gap's is drawn down to the floor, the ELBO's lies over it.
 * Returns draw(elbo, evidence). */
function stack(parent, floor, roof) {
  const hatch = `hatch-${Math.random().toString(36).slice(2)}`; // a page may hold several
  const y = (nats) => FOOT - ((nats - floor) * (FOOT - ROOF)) / (roof - floor);
  let ticks = "";
  for (let v = floor; v <= roof; v++)
    ticks += `<path d="M36 ${y(v)}h-5"/><text x="28" y="${y(v)}" dy=".35em"
      text-anchor="end">${shown(v, 0)}</text>`;
  const frame = add(parent, "div", { className: "stack", role: "img" });
  frame.insertAdjacentHTML("beforeend", `<svg viewBox="0 0 ${BAR} ${HIGH}" aria-hidden="true">
    <pattern id="${hatch}" width="8" height="8" patternUnits="userSpaceOnUse"
      patternTransform="rotate(45)"><rect class="red" width="8" height="8"/>
      <path d="M0 0V8" stroke="white" stroke-width="3"/></pattern>
    <rect class="gap" x="50" width="52" fill="url(#${hatch})"/>
    <text class="below" x="76" y="${FOOT - 8}" text-anchor="middle">ELBO ↓</text>
    <g class="axes"><path d="M36 ${ROOF}V${FOOT}" fill="none"/>${ticks}
      <text x="76" y="${FOOT + 18}" text-anchor="middle">nats</text></g></svg>`);
  const [gap, below] = ["gap", "below"].map((name) => frame.querySelector(`.${name}`));
  const [bar, level] = ["elbo", "level"].map((className) => add(frame, "div", { className }));
  Object.assign(bar.style, { left: percent(50, BAR), width: percent(52, BAR),
    top: percent(ROOF, HIGH), height: percent(FOOT - ROOF, HIGH) });
  Object.assign(level.style, { left: percent(40, BAR), width: percent(BAR - 42, BAR) });
  let last = null;
  return Object.assign(frame, {
    draw(elbo, evidence) {
      bar.style.transform = `scaleY(${clip((elbo - floor) / (roof - floor), 0, 1)})`;
      below.style.display = elbo < floor ? "" : "none";
      if (evidence === last) return;
      last = evidence;
      gap.setAttribute("y", y(evidence));
      gap.setAttribute("height", FOOT - y(evidence));
      level.style.top = percent(y(evidence), HIGH);
    },
  });
}

/** The sum as a table. Returns its cells. */
function sums(parent) {
  const table = add(parent, "table", { className: "sum" });
  add(table, "caption", { textContent: "in nats" });
  const body = add(table, "tbody");
  return ROWS.map(([sign, name, mark]) => {
    const row = add(body, "tr", { className: sign === "=" ? "result" : "" });
    add(row, "td", { textContent: sign });
    add(row, "th", { scope: "row", innerHTML: `<i class="mark ${mark}"></i>${name}` });
    return add(add(row, "td", { className: "value" }), "div");
  });
}

function build({ model, root, guard, framed, follow, send, until }) {
  const grid = model.get("grid"), names = model.get("cases"), top = model.get("top");
  const [low, high] = model.get("means"), [narrow, wide] = model.get("widths");
  const view = [low - (high - low) / 6, high + (high - low) / 6];
  const sent = singles(model.get("logs")), count = sent.length / (names.length + 1);
  const part = (i) => sent.subarray(i * count, (i + 1) * count), prior = part(0);
  const joints = names.map((_, i) => part(i + 1));
  const evidences = joints.map((joint) => logEvidence(joint, grid[1]));

  const panels = add(root, "div", { className: "panels" });
  const left = add(panels, "div", { className: "panel map" });
  const choice = add(left, "fieldset");
  add(choice, "legend", { textContent: "decoder" });
  const group = `case-${Math.random().toString(36).slice(2)}`;
  const radios = names.map((name) => {
    const label = add(choice, "label");
    const radio = add(label, "input", {
      type: "radio", name: group, "data-lm-suppress-shortcuts": "true",
    });
    radio.addEventListener("change", guard(() => send({ case: name })));
    label.append(name);
    return radio;
  });
  const pad = add(left, "div", {
    className: "pad", role: "slider", tabIndex: 0, "data-lm-suppress-shortcuts": "true",
    "aria-valuemin": low, "aria-valuemax": high,
    "aria-label": "Mean and width of q(z). Arrow keys left and right move its mean, up and down "
      + "make it narrower and wider, with Shift further; Home and End: as far as it goes",
  });
  const plot = densities(pad, view, top);
  const here = add(pad, "div", { className: "here" });
  const key = add(left, "ul", { className: "names" });
  for (const [mark, name] of [["posterior", "posterior p(z|x)"], ["q", "q(z): drag its peak"]])
    add(key, "li", { innerHTML: `<i class="mark ${mark}"></i>${name}` });
  const right = add(panels, "div", { className: "panel levels" });
  const both = add(right, "div", { className: "both" });
  const bars = stack(both, ...model.get("levels")), cells = sums(both);
  const range = { step: 0.01, min: low, max: high, value: model.get("mean") };
  const meanSlider = slider(right, {
    ...range, label: "mean of q", moved: guard((mean) => send({ mean })),
  });
  const widthSlider = slider(right, {
    ...range, min: narrow, max: wide, value: model.get("width"), label: "width of q",
    moved: guard((width) => send({ width })),
  });

  const move = (mean, width) => send({
    mean: +clip(mean, low, high).toFixed(3), width: +clip(width, narrow, wide).toFixed(3),
  });
  let drawn = null;
  const showCase = (index) => {
    const joint = joints[index], [start, step] = grid, points = [];
    radios.forEach((radio, i) => (radio.checked = i === index));
    for (let i = 0; i < count; i += Math.ceil(count / 800)) {
      const z = start + i * step;
      if (z < view[0] || z > view[1]) continue;
      points.push(plot.at(z, Math.exp(joint[i] - evidences[index])));
    }
    plot.truth(points);
    drawn = index;
  };
  const draw = () => {
    hand.take();
    const index = Math.max(0, names.indexOf(model.get("case"))), evidence = evidences[index];
    const mean = model.get("mean"), width = model.get("width");
    if (index !== drawn) showCase(index);
    const points = Array.from({ length: 161 }, (_, i) => {
      const z = view[0] + ((view[1] - view[0]) * i) / 160, far = (z - mean) / width;
      return plot.at(z, (PEAK / width) * Math.exp(-(far * far) / 2));
    });
    plot.guess(points);
    shift(here, ...plot.at(mean, PEAK / width).map((v) => (100 * v) / WIDE));
    meanSlider.show(mean);
    widthSlider.show(width);
    const terms = elboTerms(joints[index], prior, evidence, grid, mean, width);
    const { reconstruction, rate, elbo, gap } = terms;
    bars.draw(elbo, evidence);
    const values = [reconstruction, rate, elbo, gap, evidence].map((v) => shown(v, 3));
    cells.forEach((cell, i) => write(cell, values[i]));
    if (hand.dragging()) return; // a screen reader hears where a drag ended, not each step of it
    const sum = `ELBO ${values[2]}, KL(q‖p(z|x)) ${values[3]}, log p(x) ${values[4]} nats`;
    bars.setAttribute("aria-label", `Stacked bars: ${sum}`);
    pad.setAttribute("aria-valuenow", mean);
    pad.setAttribute("aria-valuetext", `mean ${shown(mean)}, width ${shown(width)}: ${sum}`);
  };
  const later = framed(draw);
  const hand = draggable(pad, {
    guard, later,
    to: (x, y) => {
      const [z, density] = plot.from(x, y);
      move(z, PEAK / Math.max(density, 1e-3)); // the peak of q follows the pointer
    },
    by: (across, up, far) => {
      const step = far ? 5 : 1;
      move(model.get("mean") + 0.05 * step * across, model.get("width") - 0.02 * step * up);
    },
    home: () => move(low, model.get("width")),
    end: () => move(high, model.get("width")),
  });
  follow("case mean width", later);
  draw(); // an error here keeps the still picture
  const resized = new ResizeObserver(later); // in the page, which says how wide the plot is
  resized.observe(pad);
  until(() => resized.disconnect());
}

export default explorer("vae-teach-elbo-bars", build);
