// The plane z₁, z₂ drawn to scale: axes, the prior's circles, codes drawn as their labels.

import { halves } from "./network.js";
import { add, percent, shift } from "./common.js";

// The square [-limit, limit]² in the SVG's units: room for tick labels left and below.
const SIDE = 400, LEFT = 44, TOP = 1, WIDTH = 446, HEIGHT = 438;
const LAYERS = 8;
export const SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz";

/** Puts the plane into `parent`; `prior` holds the mean and standard deviation [a, b, across, up] of
 * each part of p(z), one for N(0, I), none for an autoencoder. Returns
 * - svg, and overlay: a group above the codes for whatever an explorer draws there;
 * - at(z): place in the SVG's units; unit: how long 1 is there;
 * - code(x, y): the code under a place of the screen; move(element, z): moves a child of
 *   the frame there; square: where [-limit, limit]² lies, as CSS. */
export function plane(parent, { limit, tick, prior }) {
  const unit = SIDE / (2 * limit), bottom = TOP + SIDE;
  const px = (v) => LEFT + SIDE / 2 + v * unit, py = (v) => TOP + SIDE / 2 - v * unit;
  let ticks = "", circles = "";
  for (let i = -Math.floor(limit / tick); i <= limit / tick; i++) {
    const v = +(i * tick).toPrecision(6), label = String(v).replace("-", "−");
    ticks += `<path d="M${px(v)} ${bottom}v5M${LEFT} ${py(v)}h-5"/>
      <text x="${px(v)}" y="${bottom + 18}" text-anchor="middle">${label}</text>
      <text x="${LEFT - 8}" y="${py(v)}" dy=".35em" text-anchor="end">${label}</text>`;
  }
  const alone = prior.length === 1, tops = prior.map(([, b, , up]) => b + 2 * up);
  const highest = tops.indexOf(Math.max(...tops)); // above it is room for a name
  for (const [index, [a, b, across, up]] of prior.entries())
    for (const radius of [1, 2]) {
      const rx = radius * across, ry = radius * up, of = alone ? "p(z)" : "p(z)’s parts";
      if (alone && (Math.max(rx, ry) > limit || Math.min(rx, ry) * unit < 12)) continue;
      const ellipse = `cx="${px(a)}" cy="${py(b)}" rx="${rx * unit}" ry="${ry * unit}"/>`;
      circles += `<ellipse class="halo" ${ellipse}<ellipse ${ellipse}`;
      if (alone ? radius < 2 && unit * up < 20 : index !== highest || radius < 2) continue;
      circles += `<text x="${px(a)}" y="${py(b + ry)}" dy="-4" text-anchor="middle">${
        alone ? radius : "1 and 2"} sd of ${of}</text>`;
    }
  const frame = add(parent, "div", { className: "plane" });
  frame.insertAdjacentHTML("beforeend", `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">
    <g class="marks"></g><g class="prior">${circles}</g><g class="overlay"></g>
    <g class="axes"><rect x="${LEFT}" y="${TOP}" width="${SIDE}" height="${SIDE}"/>${ticks}
      <text class="name" x="${LEFT + SIDE / 2}" y="${HEIGHT - 2}" text-anchor="middle">z₁</text>
      <text class="name" x="9" y="${TOP + SIDE / 2}" dy=".35em" text-anchor="middle">z₂</text></g></svg>`);
  const svg = frame.querySelector("svg");
  const at = (z) => [px(z[0]), py(z[1])];
  return {
    frame, svg, at, unit, overlay: svg.querySelector(".overlay"),
    code(x, y) {
      const box = frame.getBoundingClientRect(), scale = WIDTH / (box.width * unit);
      return [(x - box.left) * scale - LEFT / unit - limit,
        limit + TOP / unit - (y - box.top) * scale];
    },
    square: {
      left: percent(LEFT, WIDTH), top: percent(TOP, HEIGHT),
      width: percent(SIDE, WIDTH), height: percent(SIDE, HEIGHT),
    },
    move(element, z) {
      shift(element, ...at(z).map((v) => (100 * v) / WIDTH));
    },
  };
}

/** Codes drawn as their labels: `view` holds N pairs of float16, then N labels, a byte each. All of one
 * label are one element, as a page of few elements paints sooner; but in LAYERS, so that where codes
 * lie thick no label hides the others. */
export function marks(map, view) {
  const count = view.byteLength / 5, groups = new Map();
  const at = halves(new DataView(view.buffer, view.byteOffset, 4 * count));
  for (let i = 0; i < count; i++) {
    const label = view.getUint8(4 * count + i), key = `${Math.floor((LAYERS * i) / count)} ${label}`;
    if (!groups.has(key)) groups.set(key, { label, x: [], y: [] });
    const { x, y } = groups.get(key), [across, down] = map.at([at[2 * i], at[2 * i + 1]]);
    x.push(across.toFixed(1));
    y.push((down + 3.2).toFixed(1)); // a digit's middle is there
  }
  map.svg.querySelector(".marks").innerHTML = Array.from(groups.values(), ({ label, x, y }) =>
    `<text class="c${label % 10}" x="${x.join(" ")}" y="${y.join(" ")}">${
      SIGNS[label].repeat(x.length)}</text>`).join("");
}

/** Ellipses at 1 and 2 standard deviations of a Gaussian q(z|x), dashed, with the mean as a cross. */
export function ellipses(map, mean, sd) {
  const [x, y] = map.at(mean), [a, b] = sd.map((s) => s * map.unit);
  const cross = `<path class="q" d="M${x - 5} ${y}h10M${x} ${y - 5}v10"/>`;
  return cross + [1, 2].map((k) => {
    const ellipse = `cx="${x}" cy="${y}" rx="${k * a}" ry="${k * b}"/>`;
    return `<ellipse class="halo" ${ellipse}<ellipse class="q" ${ellipse}`;
  }).join("");
}

/** The names of the labels, each with its mark. */
export function legend(parent, classes) {
  const list = add(parent, "ul", { className: "names" });
  for (const [key, name] of Object.entries(classes)) {
    const item = add(list, "li"), label = Number(key);
    add(item, "b", { className: `c${label % 10}`, textContent: SIGNS[label] });
    item.append(` ${name}`);
  }
  list.hidden = !list.children.length;
}
