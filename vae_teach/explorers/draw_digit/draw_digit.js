// Draw a digit: the page encodes the drawing with every stroke, and decodes q(z|x)'s mean.

import { network } from "../../page/network.js";
import {
  add, button, clip, codeText, explorer, gallery, paint, picture, shown, stored,
} from "../../page/common.js";
import { ellipses, legend, marks, plane } from "../../page/plane.js";
import { FINE, line, seenImage, sheet } from "./paper.js";

/** Mean, standard deviation and KL(q||p) in nats of q(z|x), from means and log-variances. */
export function gaussian(out) {
  const d = out.length / 2, mean = Array.from(out.slice(0, d));
  const logVariance = Array.from(out.slice(d), (v) => clip(v, -20, 20)); // as VAE.encode does
  const kl = logVariance.reduce((sum, v, i) => sum + (mean[i] ** 2 + Math.exp(v) - 1 - v) / 2, 0);
  return { mean, sd: logVariance.map((v) => Math.exp(v / 2)), kl };
}

/** −log p(x|z) in nats, where p gives each pixel the probability of ink. */
export function minusLog(p, x) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const q = clip(p[i], 1.2e-7, 1 - 1.2e-7); // float32's step, as in torch.distributions
    sum -= x[i] * Math.log(q) + (1 - x[i]) * Math.log(1 - q);
  }
  return sum;
}

/** Σ (x − x̂)², for decoders that give no probabilities. */
export const squares = (mean, x) => x.reduce((sum, v, i) => sum + (v - mean[i]) ** 2, 0);

const MAP = "Latent plane with the codes of test images";

async function build({ model, root, guard, framed, follow, send }) {
  const encode = await network(model, "encoder"), decode = await network(model, "decoder");
  const shape = model.get("image_shape"), size = shape.slice(1), [height, width] = size;
  const limit = model.get("limit"), probable = model.get("probable"), usual = model.get("usual");
  const paper = new Float32Array(height * width * FINE ** 2);
  let own = true; // the paper was empty: what is on it is a drawing, not an image of the data
  let current = new Uint8Array(height * width), erasing = false; // what the encoder sees

  const panels = add(root, "div", { className: "panels" });
  const left = add(panels, "div", { className: "panel drawing" });
  add(left, "div", { className: "heading", textContent: "Draw a digit" });
  const later = framed(() => {
    hand.take();
    show();
  });
  const clear = () => {
    paper.fill(0);
    own = true;
    send({ chosen: -1 });
    later();
  };
  const hand = sheet(left, {
    height, width, guard, later, clear,
    drawn(from, to, erase) {
      line(paper, size, from, to, erase || erasing);
      if (model.get("chosen") >= 0) send({ chosen: -1 }); // it is that image no more
    },
    pen(at, down) {
      status.textContent = `Pen ${down ? "down" : "up"} at column ${at[0]}, row ${at[1]}`;
    },
  });
  add(hand.pad, "div", { className: "words", "aria-hidden": "true",
    innerHTML: "<b>Draw here</b>or with arrows,<br>Space and Delete" });
  const box = model.get("box");
  if (box) {
    const square = add(hand.pad, "div", { className: "box" });
    square.style.inset = `${50 - (50 * box) / height}% ${50 - (50 * box) / width}%`;
  }
  const tools = add(left, "div", { className: "tools" });
  const eraser = button(tools, "Eraser", "Erase instead of drawing", () => {
    erasing = !erasing;
    eraser.setAttribute("aria-pressed", String(erasing));
  });
  eraser.setAttribute("aria-pressed", "false");
  button(tools, "Clear", "Empty the paper", guard(clear));
  const status = add(left, "div", { className: "status", role: "status" });

  const numbers = add(left, "div", { className: "numbers" });
  const [where, spread, rate, error] = [0, 1, 2, 3].map(() => add(numbers, "div"));
  add(numbers, "div", { className: "aside", textContent: "in brackets: test images' mean" });

  const middle = add(panels, "div", { className: "panel pair" });
  add(middle, "div", { className: "heading", textContent: "The encoder sees x" });
  const seen = picture(middle, width, height, "Image x, as the encoder sees it", "seen");
  add(middle, "div", { className: "heading", textContent: "Mean of p(x|z)" });
  const decoded = picture(middle, width, height, "Reconstruction", "decoded");

  const right = add(panels, "div", { className: "panel map" });
  add(right, "div", { className: "heading", textContent: "q(z|x) on the latent plane" });
  const frame = add(right, "div", { role: "img" });
  const map = plane(frame, { limit, tick: model.get("tick"), prior: model.get("prior") });
  marks(map, model.get("points"));
  const glass = map.svg.cloneNode(false); // a layer of its own: the marks need no new painting
  glass.classList.add("over");
  map.frame.append(glass);
  glass.append(map.overlay);
  legend(right, model.get("classes"));

  const block = add(root, "div", { className: "examples" });
  add(block, "div", { textContent: "Or choose a test image; a line drawn on it is seen too" });
  const names = model.get("names"), images = model.get("images"), count = height * width;
  const choices = gallery(block, {
    label: "Test images", images, count: names.length, shape, names: (i) => names[i],
    chosen: guard((i) => {
      if (i < 0) return clear();
      const start = images.byteOffset + i * count;
      send({ chosen: i, seen: new DataView(images.buffer.slice(start, start + count)) });
    }),
  });
  const rule = add(root, "label", { className: "rule" });
  const centring = add(rule, "input", { type: "checkbox", "data-lm-suppress-shortcuts": "true" });
  rule.append(" Move a drawing so that its centre of mass lies in the middle, as in MNIST: the encoder "
    + `learned from such images.${box ? " Most of them just fill the dashed square." : ""}`);
  centring.addEventListener("change", guard(() => send({ centred: centring.checked })));

  const isSeen = () => current.every((v, i) => v === model.get("seen").getUint8(i));
  /** The kernel's image, or a stored one, or a test image comes onto the paper. */
  const load = guard(() => {
    const x = stored(model.get("seen"), 0, shape), wide = width * FINE;
    for (let i = 0; i < paper.length; i++)
      paper[i] = x[Math.floor(i / wide / FINE) * width + Math.floor((i % wide) / FINE)];
    own = x.every((ink) => ink === 0);
    later();
  });
  const show = () => {
    const x = seenImage(paper, size, own && model.get("centred"));
    current = Uint8Array.from(x, (ink) => Math.round(255 * ink));
    if (!isSeen()) send({ seen: new DataView(current.buffer) });
    paint(hand.canvas, paper, [1, height * FINE, width * FINE]);
    paint(seen, x, shape);
    const empty = current.every((v) => v === 0);
    root.classList.toggle("empty", empty);
    if (empty) {
      paint(decoded, x, shape);
      map.overlay.innerHTML = "";
      [where, spread, rate, error].forEach((line) => (line.textContent = ""));
      frame.setAttribute("aria-label", MAP);
      return;
    }
    const q = gaussian(encode(x, shape)), mean = decode(q.mean);
    paint(decoded, mean, shape);
    map.overlay.innerHTML = ellipses(map, q.mean, q.sd);
    const pair = (values) => `(${values.map((v) => shown(v)).join(", ")})`;
    const outside = q.mean.some((v) => Math.abs(v) > limit);
    where.textContent = `q(z|x): mean ${pair(q.mean)}${outside ? ", off the map" : ""}`;
    spread.textContent = `sd ${pair(q.sd)}`;
    if (usual[0] !== null) // else p(z) is not N(0, I), and there is no closed form
      rate.textContent = `KL(q‖p) = ${shown(q.kl, 1)} nats (${shown(usual[0], 1)})`;
    error.textContent = probable
      ? `−log p(x|z) = ${shown(minusLog(mean, x), 0)} nats (${shown(usual[1], 0)})`
      : `Σ (x − x̂)² = ${shown(squares(mean, x), 1)} (${shown(usual[1], 1)})`;
    if (hand.dragging()) return; // a screen reader hears where a line ended, not each step of it
    frame.setAttribute("aria-label", `${MAP}; ${where.textContent}, ${spread.textContent}`);
    decoded.setAttribute("aria-label", `Reconstruction: mean of p(x|z) at ${codeText(q.mean)}`);
  };
  follow("seen", guard(() => isSeen() || load()));
  follow("chosen", guard(() => choices.show(model.get("chosen"))));
  const centre = guard(() => {
    centring.checked = model.get("centred");
    later();
  });
  follow("centred", centre);
  choices.show(model.get("chosen"));
  centre();
  load();
  show(); // an error here keeps the still picture
}

export default explorer("vae-teach-draw-digit", build);
