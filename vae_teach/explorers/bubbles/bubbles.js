// Bubbles: each image's q(z|x) as an ellipse in the plane, over the steps of training.

import { halves } from "../../page/network.js";
import {
  add, button, clip, explorer, percent, sharpness, shift, shown, slider, write,
} from "../../page/common.js";
import { legend, plane, SIGNS } from "../../page/plane.js";
import { manyEllipses, stamps } from "./many_ellipses.js";

const RATE = 15; // recorded frames a second
const JUMP = 5; // frames at once for readers who asked for less motion

/** Where `step` lies among a film's frames: between two of them, or at the end when it is over. */
export function place(steps, step) {
  const after = steps.findIndex((s) => s > step);
  if (after < 0) return steps.length - 1;
  if (!after) return 0;
  return after - 1 + (step - steps[after - 1]) / (steps[after] - steps[after - 1]);
}

/** A list's value at a fractional index. */
export function between(list, at) {
  const i = Math.floor(at), next = Math.min(i + 1, list.length - 1);
  return list[i] + (at - i) * (list[next] - list[i]);
}

/** All numbers of a film at a fractional frame, into `out`: N means, then N standard deviations. */
export function moment(values, size, at, out) {
  const last = values.length / size - 1, i = Math.floor(at), part = at - i;
  const a = i * size, b = Math.min(i + 1, last) * size;
  for (let k = 0; k < size; k++) out[k] = values[a + k] + part * (values[b + k] - values[a + k]);
  return out;
}

/** A step of 1, 2 or 5 times a power of ten: about four ticks on each side. */
function tickOf(limit) {
  const power = 10 ** Math.floor(Math.log10(limit / 3));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => limit / step <= 6);
}

/** The two terms over the frames, in boxes of their own scale. Returns show(position, numbers). */
function terms(parent, film, steps) {
  const left = 44, width = 400, high = 40, last = Math.max(1, steps.length - 1);
  const x = (position) => left + (width * position) / last;
  const rows = [film.reconstruction.map((v) => -v), film.kl].map((values, row) => {
    const top = 18 + row * (high + 22), low = Math.min(0, ...values), most = Math.max(...values, 0.1);
    const y = (v) => top + high - (high * (v - low)) / (most - low);
    const points = values.map((v, i) =>
      `${x(place(steps, film.steps[i])).toFixed(1)},${y(v).toFixed(1)}`);
    const end = `x="${left - 6}" text-anchor="end"`;
    return `<rect x="${left}" y="${top}" width="${width}" height="${high}"/>
      <text y="${top + 10}" ${end}>${shown(most, most < 10 ? 1 : 0)}</text>
      <text y="${top + high}" ${end}>${shown(low, 0)}</text>
      <polyline class="line ${row ? "kl" : "reconstruction"}" points="${points.join(" ")}"/>`;
  });
  const bottom = 18 + 2 * high + 22, tall = bottom + 34, middle = 'text-anchor="middle"';
  const marked = [1, 10, 100, 1e3, 1e4, 1e5].filter((step) => step <= steps[steps.length - 1]);
  const ticks = marked.map((step) => `<text x="${x(place(steps, step))}" y="${bottom + 15}"
    ${middle}>${step.toLocaleString("en")}</text>`);
  const frame = add(parent, "div", { className: "terms" });
  frame.innerHTML = `<svg viewBox="0 0 446 ${tall}" aria-hidden="true">${rows.join("")}${ticks.join("")}
    <text x="${left + width / 2}" y="${bottom + 31}" ${middle}>step of training</text></svg>`;
  const [names, cursors] = ["name", "cursor"].map((className) => rows.map((_, row) => {
    const part = add(frame, "div", { className });
    part.style.top = percent(18 + row * (high + 22), tall);
    if (className === "cursor") part.style.height = percent(high, tall);
    return part;
  }));
  return (position, numbers) => {
    cursors.forEach((cursor) => shift(cursor, (100 * x(position)) / 446, 0));
    write(names[0], `−reconstruction ${numbers.reconstruction} nats`);
    write(names[1], `KL ${numbers.kl} nats`);
  };
}

/** One film's plane and terms. Returns show(position, still, looks) and words(step). */
function panel(parent, film, steps, side) {
  const box = add(parent, "div", { className: "panel" });
  const [upper, lower] = ["upper", "lower"].map((className) => add(box, "div", { className }));
  const heading = film.title || "q(z|x) of images, ellipses of 1 sd";
  add(upper, "div", { className: "heading", textContent: heading });
  const holder = add(upper, "div", { className: "held", role: "img" });
  const sd = add(lower, "div", { className: "spread" });
  const graph = terms(lower, film, steps);
  const { layers, draw } = manyEllipses(side), values = new Float32Array(film.size);
  holder.append(...layers);
  const planes = new Map(); // by limit: a few in a film, each made once
  let limit = 0;
  const zoom = (next) => {
    planes.get(limit)?.frame.remove();
    limit = next;
    if (planes.has(limit)) return holder.append(planes.get(limit).frame);
    const map = plane(holder, { limit, tick: tickOf(limit), prior: film.prior });
    planes.set(limit, map);
    for (const layer of layers) Object.assign(layer.style, map.square);
    if (film.prior.length !== 1 || map.svg.querySelector(".prior ellipse")) return;
    const [a, b, ...sd] = film.prior[0], [x, y] = map.at([a, b]);
    const [rx, ry] = sd.map((s) => 2 * s * map.unit); // too small for `plane`, but the measure
    map.svg.querySelector(".prior").innerHTML = `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}"/>
      <text x="${x}" y="${y - ry}" dy="-4" text-anchor="middle">2 sd of p(z)</text>`;
  };
  const numbers = (step) => {
    const at = place(film.steps, step);
    return {
      kl: shown(between(film.kl, at), 1),
      reconstruction: shown(-between(film.reconstruction, at), 1),
      sd: String(+between(film.sd, at).toPrecision(2)),
    };
  };
  return {
    words(step) {
      const { kl, reconstruction, sd } = numbers(step);
      return `KL ${kl} nats, −reconstruction ${reconstruction} nats, median sd ${sd}`;
    },
    show(position, still, looks) {
      const at = place(film.steps, between(steps, position)), next = between(film.limits, at);
      if (next !== limit) zoom(next);
      draw(moment(film.values, film.size, at, values), film.labels, limit, looks);
      const step = steps[Math.round(position)], end = film.steps[film.steps.length - 1];
      const now = numbers(step);
      graph(position, now);
      const over = step > end ? `; ended at step ${end}` : "";
      write(sd, `median sd of q(z|x): ${now.sd}${over}`);
      if (!still) return;
      holder.setAttribute("aria-label", `${film.title || "Latent plane"} at step ${step}${over}: `
        + `q(z|x) of ${film.count} images as ellipses of 1 sd${film.prior.length
          ? ", and 1 and 2 sd of the prior" : "; the prior, which learns too, is not drawn"}; `
        + `axes from ${shown(-limit, 0)} to ${shown(limit, 0)}`);
    },
  };
}

/** The films with their numbers, from the widget's traits. */
export function unpack(films, codes, labels) {
  const numbers = halves(codes);
  const signs = new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength);
  let at = 0, first = 0;
  return films.map((film) => {
    const size = 4 * film.count, end = at + size * film.steps.length;
    const read = { ...film, size, values: numbers.subarray(at, end) };
    read.labels = signs.subarray(first, first + film.count);
    at = end;
    first += film.count;
    return read;
  });
}

function build({ model, root, guard, framed, follow, send, until }) {
  const steps = model.get("steps"), last = steps.length - 1;
  const scale = sharpness();
  const films = unpack(model.get("films"), model.get("codes"), model.get("labels"));
  const panels = add(root, "div", { className: films.length > 1 ? "panels" : "panels alone" });
  const shows = films.map((film) => panel(panels, film, steps, 412 * scale));
  const controls = add(root, "div", { className: "controls" });
  const probes = Array.from(SIGNS, (_, label) =>
    add(root, "i", { className: `c${label % 10}`, hidden: true }));
  legend(root, model.get("classes"));
  let looks, position = clip(model.get("frame"), 0, last), playing = false, then = 0;

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const paintAll = () => {
    if (playing) {
      const now = performance.now();
      position = Math.min(last, position + (RATE * Math.min(100, now - then)) / 1000);
      then = now;
      if (position === last) play(false);
    }
    const shownAt = playing && calm.matches ? JUMP * Math.floor(position / JUMP) : position;
    for (const { show } of shows) show(shownAt, !playing, looks);
    const frame = Math.round(shownAt);
    scrub.show(frame);
    scrub.input.setAttribute("aria-valuetext", said(frame));
    if (playing) later();
  };
  const later = framed(paintAll);
  const play = (on) => {
    if (on === playing) return;
    playing = on;
    then = performance.now();
    toggle.textContent = on ? "Pause" : "Play";
    if (on && position === last) position = 0;
    if (!on) send({ frame: position = Math.round(position) });
    later();
  };
  const toggle = button(controls, "Play", "Play or pause the film", guard(() => play(!playing)));
  const { format } = new Intl.NumberFormat("en");
  const stepText = (frame) => `step ${format(steps[frame])} of ${format(steps[last])}`;
  const said = (frame) => [stepText(frame), ...shows.map(({ words }, i) =>
    `${films[i].title ? `${films[i].title}: ` : ""}${words(steps[frame])}`)].join("; ");
  const scrub = slider(add(controls, "div", { className: "scrub" }), {
    label: "Training", min: 0, max: last, step: 1, value: position, say: stepText,
    moved: guard((frame) => {
      play(false);
      send({ frame });
    }),
  });
  const recolour = guard(() => {
    looks = stamps(probes.map((probe) => getComputedStyle(probe).color), scale);
    later();
  });
  follow("frame", guard(() => {
    position = clip(model.get("frame"), 0, last);
    play(false);
    later();
  }));

  const unseen = guard(() => document.hidden && play(false));
  document.addEventListener("visibilitychange", unseen);
  const seen = new IntersectionObserver(
    guard((entries) => (entries.at(-1).isIntersecting ? recolour() : play(false)))); // in the page now
  seen.observe(panels);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", recolour);
  const theme = new MutationObserver(recolour);
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  until(() => {
    playing = false;
    document.removeEventListener("visibilitychange", unseen);
    seen.disconnect();
    dark.removeEventListener("change", recolour);
    theme.disconnect();
  });
  recolour();
}

export default explorer("vae-teach-bubbles", build);
