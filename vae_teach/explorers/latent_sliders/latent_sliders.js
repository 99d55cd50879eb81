// Traversals: a slider for each latent dimension, the most used first, and the image they decode to.

import { halves, network } from "../../page/network.js";
import { add, button, explorer, paint, percent, picture, shown, slider } from "../../page/common.js";

const STEP = 0.05; // of an arrow key

const subscript = (i) => String(i).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

/** A draw from N(0, 1) (Box & Muller 1958), in digits enough to show. */
export const normal = () => +(Math.sqrt(-2 * Math.log(1 - Math.random()))
  * Math.cos(2 * Math.PI * Math.random())).toFixed(4);

/** What a dimension costs: a bar whose length is its KL against the largest, and the number. */
function meter(row, kl, most, unused) {
  const track = add(row, "span", { className: "meter", "aria-hidden": "true" });
  if (unused) track.textContent = "unused";
  else add(track, "i").style.width = percent(kl, most);
  add(row, "span", { className: "kl", textContent: shown(kl), "aria-hidden": "true" });
  row.classList.toggle("unused", unused);
}

async function build({ model, root, guard, framed, follow, send }) {
  const decode = await network(model, "decoder");
  const shape = model.get("image_shape"), dimensions = model.get("dimensions");
  const kl = model.get("kl"), used = model.get("used"), prior = model.get("prior");
  const panels = add(root, "div", { className: "panels" });
  const left = add(panels, "div", { className: "panel decoding" });
  const what = prior ? "mean of p(x|z)" : "what the autoencoder makes of z";
  add(left, "div", { className: "heading", textContent: prior ? `Decoded: ${what}` : "Decoded image" });
  const alt = `Image decoded from the sliders' code, ${what}`;
  const canvas = picture(left, shape[2], shape[1], alt, "decoded");
  const buttons = add(left, "div", { className: "buttons" });
  button(buttons, "Reset", "Back to the code this started from",
    guard(() => send({ code: model.get("start") })));
  if (prior)
    button(buttons, "Random z ~ p(z)", "A code drawn from the prior", guard(() => {
      const code = [...model.get("code")], drawn = halves(model.get("draws")); // none: p(z) is N(0, I)
      const from = code.length * Math.floor((Math.random() * drawn.length) / code.length);
      for (const i of dimensions) code[i] = drawn.length ? +drawn[from + i].toFixed(4) : normal();
      send({ code });
    }));
  const right = add(panels, "div", { className: "panel sliding" });
  add(right, "div", { className: "heading", textContent: kl.length ? "Code z, most used first" : "Code z" });
  if (kl.length) {
    const images = model.get("count").toLocaleString("en");
    const textContent = `Red bars: KL(q(zᵢ|x) ‖ p(zᵢ)) in nats, mean over ${images} images`;
    add(right, "p", { className: "about", textContent });
  }
  const columns = Math.ceil(dimensions.length / (dimensions.length <= 30 ? 10 : 16));
  const list = add(right, "div", { className: "sliders" });
  const least = kl.length ? 260 : 200; // px
  list.style.columns = `${columns} ${least}px`;
  right.style.flexBasis = `${(least + 24) * columns - 24}px`; // where that does not fit: below the image
  right.style.maxWidth = `${420 * columns}px`;
  const rows = dimensions.map((i, place) => {
    const row = slider(list, {
      label: `z${subscript(i + 1)}`, min: -model.get("limit"), max: model.get("limit"), step: STEP,
      value: model.get("code")[i],
      moved: guard((value) => {
        row.now = value;
        send({ code: model.get("code").map((old, at) => (at === i ? value : old)) });
      }),
    });
    row.now = model.get("code")[i];
    let name = `z${i + 1}`;
    if (kl.length) {
      const unused = kl[place] < used;
      meter(row, kl[place], Math.max(...kl), unused);
      name += `, KL ${shown(kl[place])} nats${unused ? ", unused" : ""}`;
    }
    row.input.setAttribute("aria-label", name);
    return row;
  });

  const draw = () => {
    const code = model.get("code");
    rows.forEach((row, place) => { // those that moved, though not by hand
      const value = code[dimensions[place]];
      if (value !== row.now) row.show((row.now = value));
    });
    paint(canvas, decode(code), shape);
  };
  follow("code", framed(draw));
  follow("limit", guard(() => { // a code from Python may lie farther out
    const limit = model.get("limit"), code = model.get("code");
    rows.forEach((row, place) => {
      Object.assign(row.input, { min: -limit, max: limit });
      row.show((row.now = code[dimensions[place]]));
    });
  }));
  draw(); // an error here keeps the still picture
}

export default explorer("vae-teach-latent-sliders", build);
