// The latent plane: a map of codes, and beside it what the decoder draws at the chosen place.

import { POSTERIOR } from "../../page/colours.js";
import { network } from "../../page/network.js";
import {
  add, clip, codeText, draggable, explorer, gallery, paint, picture, shown, stored, write,
} from "../../page/common.js";
import { ellipses, legend, marks, plane } from "../../page/plane.js";

const LENS = 150; // the lens's side in its SVG's units

/** A small window around q(z|x): its ellipses in blue, the true posterior shaded in purple. */
function lens(parent, side) {
  const frame = add(parent, "figure", { className: "lens", hidden: true });
  const glass = add(frame, "div", { className: "glass", role: "img" });
  const shade = add(glass, "canvas", { width: side || 1, height: side || 1 });
  glass.insertAdjacentHTML("beforeend", `<svg viewBox="0 0 ${LENS} ${LENS}" aria-hidden="true">
    <g class="overlay"></g></svg>`);
  const words = add(frame, "figcaption");
  return (q, [a, b, half], density) => {
    frame.hidden = false;
    const unit = LENS / (2 * half);
    const map = { unit, at: (z) => [LENS / 2 + (z[0] - a) * unit, LENS / 2 - (z[1] - b) * unit] };
    glass.querySelector(".overlay").innerHTML = ellipses(map, q.slice(0, 2), q.slice(2));
    const [mean, sd] = [q.slice(0, 2), q.slice(2)].map((pair) => pair.map((v) => shown(v)).join(", "));
    words.textContent = `q(z|x): mean (${mean}), sd (${sd}); the lens is ${shown(2 * half)} wide`;
    glass.setAttribute("aria-label", words.textContent + (density ? ", p(z|x) shaded" : ""));
    if (!density) return;
    const image = new ImageData(side, side); // the square root keeps a small second mode visible
    density.forEach((v, i) => image.data.set([...POSTERIOR, 255 * Math.sqrt(v)], 4 * i));
    shade.getContext("2d").putImageData(image, 0, 0);
  };
}

async function build({ model, root, guard, framed, follow, send }) {
  const decode = await network(model, "decoder");
  const limit = model.get("limit"), tick = model.get("tick"), shape = model.get("image_shape");
  const prior = model.get("prior"), gauss = model.get("gauss"), side = model.get("posterior_side");
  const what = prior.length ? ["Decoded: mean of p(x|z)", ", the mean of p(x|z)"] : ["Decoded image", ""];
  const panels = add(root, "div", { className: "panels" });
  const left = add(panels, "div", { className: "panel map" });
  add(left, "div", { className: "heading", textContent: "Latent space: drag to choose z" });
  const pad = add(left, "div", {
    className: "pad", role: "slider", tabIndex: 0, "data-lm-suppress-shortcuts": "true",
    "aria-valuemin": -limit, "aria-valuemax": limit,
    "aria-label": "Code z in the latent plane. Arrow keys move it, with Shift further; Home: origin, End: corner",
  });
  const map = plane(pad, { limit, tick, prior });
  marks(map, model.get("points"));
  const here = add(map.frame, "div", { className: "here" });
  const right = add(panels, "div", { className: "panel image" });
  add(right, "div", { className: "heading", textContent: what[0] });
  const canvas = picture(right, shape[2], shape[1], `Image decoded at the chosen z${what[1]}`, "decoded");
  const readout = add(right, "div", { className: "readout" });
  legend(root, model.get("classes"));
  const images = model.get("images"), count = gauss.length;
  const choose = (index) => {
    const next = { chosen: index };
    if (index >= 0) [next.z1, next.z2] = gauss[index].slice(0, 2).map((v) => clip(v, -limit, limit));
    send(next);
  };
  let chooser = null, look = null;
  if (count) {
    const line = add(root, "div", { className: "chooser" });
    const block = add(line, "div");
    add(block, "div", { textContent: side
      ? "Test images: their q(z|x), dashed, and the true p(z|x), shaded" : "Test images: their q(z|x)" });
    chooser = gallery(block, {
      label: "Test images", images, count, shape, chosen: guard(choose),
      names: (i) => `test image ${i + 1}`,
    });
    look = lens(line, side);
  }
  const showChosen = guard(() => {
    const index = model.get("chosen"), q = gauss[index];
    chooser?.show(index);
    map.overlay.innerHTML = q ? ellipses(map, q.slice(0, 2), q.slice(2)) : "";
    if (q) look(q, model.get("windows")[index], side && stored(model.get("posteriors"), index, [1, side, side]));
  });

  const code = () => [model.get("z1"), model.get("z2")];
  const move = (z) => {
    const [z1, z2] = z.map((v) => +clip(v, -limit, limit).toFixed(4));
    send({ z1, z2 });
  };
  const later = framed(() => {
    hand.take();
    const z = code();
    map.move(here, z.map((v) => clip(v, -limit, limit)));
    write(readout, codeText(z));
    if (!hand.dragging()) { // a screen reader hears where a drag ended, not each step of it
      pad.setAttribute("aria-valuenow", z[0]);
      pad.setAttribute("aria-valuetext", codeText(z));
    }
    paint(canvas, decode(z), shape);
  });
  const hand = draggable(pad, {
    guard, later,
    to: (x, y) => move(map.code(x, y)),
    by: (x, y, far) => {
      const z = code(), step = far ? tick / 2 : tick / 10;
      move([z[0] + step * x, z[1] + step * y]);
    },
    home: () => move([0, 0]),
    end: () => move([limit, limit]),
  });
  follow("z1 z2", later);
  follow("chosen", showChosen);
  showChosen();
  paint(canvas, decode(code()), shape); // an error here keeps the still picture
  later();
}

export default explorer("vae-teach-latent-plane", build);
