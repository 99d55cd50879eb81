// Interpolation: from one image to another, straight through the codes, along a sphere, and by pixels.

import { network } from "../../page/network.js";
import {
  add, address, explorer, gallery, paint, picture, shift, shown, slider, stored, write,
} from "../../page/common.js";

export const norm = (z) => Math.hypot(...z);

/** (1 − t) a + t b: of codes or of pixels. */
export const straight = (a, b, t) => a.map((v, i) => (1 - t) * v + t * b[i]);

/** The way from a to b whose direction turns at an even rate in their plane and whose norm is
 * interpolated: along the sphere where the norms are equal. Returns { at(t), kind }; kind is
 * - "straight" where a straight line is that way: equal directions, a code of zeros, one dimension;
 * - "any" for opposite codes: no turn is shorter than another, so one is taken;
 * - "sphere" otherwise. */
export function sphere(a, b) {
  const [long, other] = [norm(a), norm(b)];
  if (!long || !other || a.length === 1) return { at: (t) => straight(a, b, t), kind: "straight" };
  const u = a.map((v) => v / long), v = b.map((w) => w / other);
  // cos and sin of the angle by both sum and difference: exact near 0 and π, as acos is not.
  const angle = 2 * Math.atan2(norm(u.map((w, i) => w - v[i])), norm(u.map((w, i) => w + v[i])));
  if (angle < 1e-6) return { at: (t) => straight(a, b, t), kind: "straight" };
  const opposite = Math.PI - angle < 1e-6;
  let toward = v; // which way to turn
  if (opposite) {
    const least = u.reduce((best, w, i) => (Math.abs(w) < Math.abs(u[best]) ? i : best), 0);
    toward = u.map((_, i) => (i === least ? 1 : 0));
  }
  const along = u.reduce((sum, w, i) => sum + w * toward[i], 0);
  const aside = toward.map((w, i) => w - along * u[i]), size = norm(aside);
  return {
    kind: opposite ? "any" : "sphere",
    at(t) {
      const [c, s] = [Math.cos(t * angle), Math.sin(t * angle)], r = (1 - t) * long + t * other;
      return u.map((w, i) => r * (c * w + (s * aside[i]) / size));
    },
  };
}

const STEPS = 9, LINE = 40; // pictures of a film strip; straight pieces of a curve
const PLOT = [278, 172]; // of |z|, width and height

/** Images [channels, height, width] as one, side by side. */
export function inRow(images, [channels, height, width]) {
  const wide = images.length * width, out = new Float32Array(channels * height * wide);
  images.forEach((pixels, k) => {
    for (let row = 0; row < channels * height; row++)
      out.set(pixels.slice(row * width, (row + 1) * width), row * wide + k * width);
  });
  return out;
}

/** A plot of |z| along the ways: draw(curves, radius) once for two images, then mark(t, heights). */
function plot(parent) {
  const [left, top, width, height] = [34, 12, 236, 120];
  const frame = add(parent, "div", { className: "norms", role: "img" });
  frame.insertAdjacentHTML("beforeend", `<svg viewBox="0 0 ${PLOT.join(" ")}" aria-hidden="true">
    <g class="axes"><path d="M${left} ${top}v${height}h${width}" fill="none"/><g class="ticks"></g>
    <text class="name" x="${left + width / 2}" y="168" text-anchor="middle">t</text></g>
    <g class="curves"></g></svg>`);
  const points = add(frame, "div", { className: "points" });
  const part = (name) => frame.querySelector(name);
  let y = null;
  const x = (t) => left + t * width;
  return {
    draw(curves, radius, words) {
      const most = 1.15 * Math.max(radius, 0.01, ...Object.values(curves).flat());
      y = (v) => top + height * (1 - v / most);
      const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((s) => most / s <= 5) ?? most;
      let ticks = "", drawn = "";
      for (let v = 0; v <= most; v += step)
        ticks += `<path d="M${left} ${y(v)}h-5"/><text x="${left - 8}" y="${y(v)}" dy=".35em"
          text-anchor="end">${+v.toFixed(1)}</text>`;
      for (const t of [0, 0.5, 1])
        ticks += `<path d="M${x(t)} ${top + height}v5"/><text x="${x(t)}" y="${top + height + 18}"
          text-anchor="middle">${t}</text>`;
      if (radius) drawn += `<path class="radius" d="M${left} ${y(radius)}h${width}"/>
        <text x="${left + width}" y="${y(radius) - 5}" text-anchor="end">√d, the prior's radius</text>`;
      for (const [name, values] of Object.entries(curves))
        drawn += `<path class="${name}" d="M${values.map((v, i) =>
          `${x(i / LINE).toFixed(1)} ${y(v).toFixed(1)}`).join("L")}"/>`;
      part(".ticks").innerHTML = ticks;
      part(".curves").innerHTML = drawn;
      frame.setAttribute("aria-label", words);
    },
    mark(t, heights) {
      heights.forEach((v, i) => {
        const point = points.children[i] ?? add(points, "i");
        shift(point, (100 * x(t)) / PLOT[0], (100 * y(v)) / PLOT[0]);
      });
    },
  };
}

const why = (d, radius) => d < 8
  ? `In d = ${d} dimensions the prior's |z| spreads widely around √d = ${radius}. The larger d, the more `
    + "of its mass lies near √d, and the more a straight line's middle has too small a norm (White 2016)."
  : `In d = ${d} dimensions nearly all of the prior's mass lies near |z| = √d = ${radius}. Half-way along `
    + "a straight line |z| is smaller: the decoder has seen few such z. The way along the sphere turns the "
    + "direction of z, and its norm changes evenly (White 2016).";

async function build({ model, root, guard, framed, follow, send }) {
  const decode = await network(model, "decoder");
  const shape = model.get("image_shape"), [channels, height, width] = shape;
  const images = model.get("images"), codes = model.get("codes"), names = model.get("names");
  const radius = model.get("radius"); // √d; 0 for an autoencoder, which has no prior

  const ends = add(root, "div", { className: "ends" });
  const choosers = [["first", "From"], ["second", "To"]].map(([trait, word]) => {
    const block = add(ends, "div");
    add(block, "div", { className: "heading", textContent: word });
    return [trait, gallery(block, {
      label: word, images, count: names.length, shape, names: (i) => `${word} ${names[i]}`,
      chosen: guard((i) => i >= 0 && send({ [trait]: i })),
    })];
  });

  const ways = [
    ["straight", "Straight through z"], ...(radius ? [["sphere", "Along the sphere"]] : []),
    ["pixels", "Pixels blended"],
  ];
  const panels = add(root, "div", { className: "panels" });
  const large = Object.fromEntries(ways.map(([name, words]) => {
    const panel = add(panels, "div", { className: `panel way ${name}` });
    add(panel, "div", { className: "heading", textContent: words });
    return [name, picture(panel, width, height, words)];
  }));
  const side = add(panels, "div", { className: "panel side" });
  add(side, "div", { className: "heading", textContent: "Norm |z| along the way" });
  const norms = plot(side), readout = add(side, "div", { className: "norm-text" });

  const strips = add(root, "div", { className: "strips" });
  const films = Object.fromEntries(ways.map(([name, words]) => {
    add(strips, "div", { className: `name ${name}`, textContent: words });
    return [name, add(strips, "img", { alt: `${words}: nine steps from t = 0 to t = 1` })];
  }));
  add(strips, "div", { className: "name" });
  const track = add(strips, "div", { className: "track" });
  const knob = slider(track, {
    label: "t", min: 0, max: 1, step: 0.005, value: model.get("t"), say: (t) => `t = ${shown(t)}`,
    moved: guard((t) => send({ t })),
  });
  if (radius) add(root, "div", { className: "why", textContent: why(codes[0].length, shown(radius)) });
  knob.input.setAttribute("aria-label", "Place t between the two images");
  const note = add(root, "div", { className: "note", role: "status" });

  let way = null; // from the first image to the second: functions of t for each name, and z's
  const turn = () => {
    const [i, j] = [model.get("first"), model.get("second")], [a, b] = [codes[i], codes[j]];
    const [x, y] = [i, j].map((k) => stored(images, k, shape)), arc = sphere(a, b);
    const codeAt = { straight: (t) => straight(a, b, t), ...(radius && { sphere: arc.at }) };
    const at = { pixels: (t) => straight(x, y, t) };
    for (const [name, z] of Object.entries(codeAt)) at[name] = (t) => decode(z(t));
    way = { at, codeAt };
    choosers.forEach(([trait, chooser]) => chooser.show(model.get(trait)));
    for (const [name, film] of Object.entries(films)) {
      const images = Array.from({ length: STEPS }, (_, k) => at[name](k / (STEPS - 1)));
      film.src = address(inRow(images, shape), [channels, height, STEPS * width]);
    }
    const grid = Array.from({ length: LINE + 1 }, (_, k) => k / LINE);
    const curves = Object.fromEntries(
      Object.entries(codeAt).map(([name, z]) => [name, grid.map((t) => norm(z(t)))]));
    norms.draw(curves, radius, `Norm of z from ${names[i]} to ${names[j]}; half-way `
      + Object.entries(curves).map(([name, values]) => `${name} ${shown(values[LINE / 2])}`).join(", ")
      + (radius ? `; the prior's radius is ${shown(radius)}` : ""));
    note.textContent = i === j ? "Both images are the same: nothing changes on the way."
      : !radius || arc.kind === "sphere" ? ""
        : arc.kind === "straight" ? "Here straight line and sphere are one way."
          : "The codes point in opposite directions: many ways along the sphere are equally short, "
            + "and one of them is drawn.";
    show();
  };
  const show = () => {
    const t = model.get("t");
    for (const [name, canvas] of Object.entries(large)) paint(canvas, way.at[name](t), shape);
    const lengths = Object.values(way.codeAt).map((z) => norm(z(t)));
    norms.mark(t, lengths);
    write(readout, lengths.map((v, i) => `${"●■"[i]} ${ways[i][0]} ${shown(v)}`).join("  ")
      + (radius ? `  √d = ${shown(radius)}` : ""));
    knob.show(t);
  };
  follow("t", framed(show));
  follow("first second", framed(turn));
  turn(); // an error here keeps the still picture
}

export default explorer("vae-teach-interpolation", build);
