// EM stepper: forward and back through the half steps of EM on points in the plane.

import { COMPONENTS, LABELS } from "../../page/colours.js";
import { halves } from "../../page/network.js";
import {
  add, button, clip, explorer, inked, percent, picture, sharpness, shift, shown, slider, stamp, write,
} from "../../page/common.js";

const HUES = COMPONENTS.map((label) => LABELS[label]);
const DASHES = [[], [18, 8], [5, 6]];
const ACROSS = 760, UP = 620, SCALE = 0.6; // of the plot, in units; pixels of the screen a unit, about
const SPOT = 14; // a point's marker, with room around it
const LEFT = 44, WIDTH = 380, TOP = 10, HEIGHT = 250, PAUSE = 450; // of the curve; ms a half step
const BOX = [432, TOP + HEIGHT + 40];
const WORDS = {
  start: "Start", E: "E step: q becomes the posterior, colours change",
  M: "M step: weighted averages, ellipses move",
};

/** A component's marker: circle, triangle or square. */
function marker(context, kind, x, y, r) {
  context.beginPath();
  if (kind === 0) context.arc(x, y, r, 0, 2 * Math.PI);
  else if (kind === 1) {
    context.moveTo(x, y - 1.2 * r);
    context.lineTo(x + 1.2 * r, y + r);
    context.lineTo(x - 1.2 * r, y + r);
    context.closePath();
  } else context.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
}

/** A point's look: the colours' mean by its responsibilities (bytes), the largest one's marker. */
export function mixture(shares) {
  const mean = (c) => shares.reduce((sum, r, k) => sum + r * HUES[k][c], 0) / 255;
  const colour = [0, 1, 2].map((c) => clip(Math.round(mean(c)), 0, 255));
  return { colour, kind: shares.indexOf(Math.max(...shares)) };
}

/** Returns a function that draws all points, with `looks` a colour and a kind of marker for each;
 * `scale`: the canvas's pixels a unit. */
function scatter(context, places, scale) {
  const side = 2 * Math.ceil((SPOT * scale) / 2);
  const spots = HUES.map((_, kind) => inked(side, (easel) => {
    marker(easel, kind, 0, 0, 5 * scale);
    easel.fill();
  }));
  const spot = places.map((place) => place.map((v) => Math.round(scale * v)));
  const image = context.createImageData(ACROSS * scale, UP * scale);
  return (looks) => {
    image.data.fill(0);
    looks.forEach(({ colour, kind }, i) => stamp(image, spots[kind], ...spot[i], colour));
    context.putImageData(image, 0, 0);
  };
}

/** Ellipses at two standard deviations; a shape is its mean and the lower triangle of its root. */
function ellipses(context, shapes, toPixel) {
  shapes.forEach(([x, y, a, b, c], k) => {
    const around = Array.from({ length: 80 }, (_, i) => (2 * Math.PI * i) / 80).map((t) =>
      toPixel(x + 2 * a * Math.cos(t), y + 2 * (b * Math.cos(t) + c * Math.sin(t))));
    context.beginPath();
    for (const place of around) context.lineTo(...place);
    context.closePath();
    context.setLineDash(DASHES[k]);
    context.lineWidth = 4;
    context.strokeStyle = `rgb(${HUES[k]})`;
    context.stroke();
    context.setLineDash([]);
    marker(context, k, ...toPixel(x, y), 11);
    context.fillStyle = context.strokeStyle;
    context.fill();
    context.strokeStyle = "white";
    context.stroke();
  });
}

/** The curves of log p(x) and ELBO with the gap as bars, and a veil over what comes later. Returns
 * show(half step). */
function stairs(parent, logP, bound) {
  const last = Math.max(1, logP.length - 1), low = Math.min(...bound), high = Math.max(...logP);
  const x = (i) => LEFT + 8 + ((WIDTH - 16) * i) / last;
  const y = (v) => TOP + 8 + ((HEIGHT - 16) * (high - v)) / (high - low || 1);
  const line = (values) => values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(" ");
  const bars = bound.map((v, i) => `<path class="gap" d="M${x(i)} ${y(v)}V${y(logP[i])}"/>`);
  const dots = bound.map((v, i) => `<path class="diamond"
    d="M${x(i)} ${y(logP[i]) - 4}l4 4-4 4-4-4z"/><circle class="dot" cx="${x(i)}" cy="${y(v)}" r="2.5"/>`);
  const ticks = [high, low].map((v) => `<text x="${LEFT - 5}" y="${y(v)}" dy=".35em"
    text-anchor="end">${shown(v)}</text>`);
  const steps = [...logP.keys()].filter((i) => i % Math.ceil(last / 10) === 0).map((i) =>
    `<text x="${x(i)}" y="${TOP + HEIGHT + 17}" text-anchor="middle">${i}</text>`);
  parent.insertAdjacentHTML("beforeend", `<svg viewBox="0 0 ${BOX.join(" ")}" aria-hidden="true">
    ${bars.join("")}<polyline class="truth" points="${line(logP)}"/>
    <polyline class="bound" points="${line(bound)}"/>${dots.join("")}
    <g class="axes"><rect x="${LEFT}" y="${TOP}" width="${WIDTH}" height="${HEIGHT}"/>
      ${ticks.join("")}${steps.join("")}<text x="${LEFT + WIDTH / 2}" y="${TOP + HEIGHT + 36}"
      text-anchor="middle">half step</text></g></svg>`);
  const frame = add(parent, "div", { className: "window" }); // of the plot: the veil moves behind it
  const veil = add(frame, "div", { className: "veil" });
  Object.assign(frame.style, { left: percent(LEFT, BOX[0]), width: percent(WIDTH, BOX[0]),
    top: percent(TOP, BOX[1]), height: percent(HEIGHT, BOX[1]) });
  return (i) => shift(veil, (100 * (x(i) - LEFT)) / WIDTH, 0);
}

function build({ model, root, guard, framed, follow, send, until }) {
  const names = model.get("names"), last = names.length - 1, shapes = model.get("shapes");
  const weights = model.get("weights"), count = weights[0].length, owner = model.get("owners");
  const logP = model.get("log_p"), bound = model.get("bound"), at = halves(model.get("points"));
  const sent = model.get("shares"), size = (count * at.length) / 2;
  const bytes = new Uint8Array(sent.buffer, sent.byteOffset, sent.byteLength);
  const [low, high] = model.get("window");
  const toPixel = (a, b) =>
    [(ACROSS * (a - low[0])) / (high[0] - low[0]), (UP * (high[1] - b)) / (high[1] - low[1])];

  const panels = add(root, "div", { className: "panels" });
  const left = add(panels, "div", { className: "panel" });
  const title = add(left, "div", { className: "heading" });
  const scale = SCALE * sharpness();
  const canvas = picture(left, ACROSS * scale, UP * scale, "", "points");
  const key = add(left, "ul", { className: "names" });
  const items = weights[0].map((_, k) => add(key, "li", {
    innerHTML: `<b class="c${COMPONENTS[k]}">${"●▲■"[k]}</b><span></span>`,
  }));
  const right = add(panels, "div", { className: "panel curves" });
  add(right, "div", { className: "heading", textContent: "log p(x) and ELBO, nats a point" });
  const curve = add(right, "div", { className: "curve", role: "img" });
  const show = stairs(curve, logP, bound);
  const marks = add(right, "ul", { className: "names" });
  const cells = ["truth", "bound", "gap"].map((mark) =>
    add(add(marks, "li", { innerHTML: `<i class="mark ${mark}"></i>` }), "span"));

  const context = canvas.getContext("2d"), all = [];
  const places = Array.from({ length: at.length / 2 }, (_, i) => toPixel(at[2 * i], at[2 * i + 1]));
  const points = scatter(context, places, scale);
  context.scale(scale, scale);
  const looksOf = (set) => (all[set] ??= places.map((_, i) => {
    const start = set * size + i * count;
    return mixture(bytes.subarray(start, start + count));
  }));
  let timer = 0, playing = false;
  const here = () => clip(model.get("half_step"), 0, last);
  const said = (i) => (names[i] === "start" ? "start" : `${names[i]} step ${Math.ceil(i / 2)}`);
  const draw = () => {
    const i = here();
    points(looksOf(owner[i]));
    ellipses(context, shapes[i], toPixel);
    show(i);
    write(title, WORDS[names[i]] ?? names[i]);
    const numbers = [`log p(x) ${shown(logP[i], 4)}`, `ELBO ${shown(bound[i], 4)}`,
      `gap, KL(q‖p(z|x)) ${shown(Math.max(0, logP[i] - bound[i]), 4)}`];
    cells.forEach((cell, k) => write(cell, numbers[k]));
    scrub.show(i);
    back.disabled = i === 0;
    on.disabled = i === last;
    items.forEach((item, k) => {
      write(item.lastChild, ` π${"₁₂₃"[k]} = ${shown(weights[i][k])}`);
    });
    if (playing) return; // a screen reader hears where the film stopped, not each step of it
    const sum = `${said(i)}: ${numbers.join(", ")} nats a point`;
    scrub.input.setAttribute("aria-valuetext", sum);
    curve.setAttribute("aria-label", `Curves over the half steps, neither ever falls; at ${sum}`);
    canvas.setAttribute("aria-label", `${places.length} points coloured and shaped by `
      + `responsibility, with ellipses of two standard deviations, after ${said(i)}`);
  };
  const later = framed(draw);
  const go = (i) => send({ half_step: clip(i, 0, last) });
  const play = (wanted) => {
    clearTimeout(timer);
    playing = wanted;
    toggle.textContent = wanted ? "Pause" : "Play";
    if (!wanted) return later();
    if (here() === last) go(0);
    timer = setTimeout(guard(function next() {
      go(here() + 1);
      if (here() === last) return play(false);
      timer = setTimeout(guard(next), PAUSE);
    }), PAUSE);
  };
  const move = (i) => {
    if (playing) play(false);
    go(i);
  };
  const controls = add(root, "div", { className: "controls" });
  const back = button(controls, "◀ Back", "One half step back", guard(() => move(here() - 1)));
  const toggle = button(controls, "Play", "Play the half steps, or pause", guard(() => {
    play(!playing);
  }));
  const on = button(controls, "Step ▶", "One half step on", guard(() => move(here() + 1)));
  const scrub = slider(controls, {
    label: "half step", min: 0, max: last, step: 1, value: here(), moved: guard(move),
    say: (i) => `${i}: ${said(i)}`,
  });
  follow("half_step", later);
  const unseen = () => document.hidden && playing && play(false);
  document.addEventListener("visibilitychange", unseen);
  const seen = new IntersectionObserver((all) => {
    if (playing && !all.at(-1).isIntersecting) play(false);
  });
  seen.observe(panels);
  until(() => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", unseen);
    seen.disconnect();
  });
  draw(); // an error here keeps the still picture
}

export default explorer("vae-teach-em-stepper", build);
