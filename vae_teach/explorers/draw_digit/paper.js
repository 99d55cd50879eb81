// Paper to draw on with mouse, pen, finger or keys, and what an encoder sees of it.

import { add, clip, percent, picture } from "../../page/common.js";

// The paper has FINE × FINE dots a pixel, so that a drawing can be moved by parts of a pixel.
export const FINE = 4;
const PEN = 1.35, ERASER = 2.4, SOFT = 0.9; // half a line's width, and its edge's: pixels

/** Draws or erases a line on the paper, from and to places [x, y] in pixels from its corner. */
export function line(paper, [height, width], from, to, erase = false) {
  const half = erase ? ERASER : PEN, reach = half + SOFT / 2;
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]], long = dx * dx + dy * dy;
  const span = (i, size) => [
    Math.max(0, Math.floor((Math.min(from[i], to[i]) - reach) * FINE)),
    Math.min(size * FINE - 1, Math.ceil((Math.max(from[i], to[i]) + reach) * FINE)),
  ];
  const [left, right] = span(0, width), [top, bottom] = span(1, height);
  for (let row = top; row <= bottom; row++)
    for (let column = left; column <= right; column++) {
      const x = (column + 0.5) / FINE - from[0], y = (row + 0.5) / FINE - from[1];
      const along = long ? clip((x * dx + y * dy) / long, 0, 1) : 0;
      const far = Math.hypot(x - along * dx, y - along * dy);
      const ink = clip((half - far) / SOFT + 0.5, 0, 1), i = row * width * FINE + column;
      paper[i] = erase ? Math.min(paper[i], 1 - ink) : Math.max(paper[i], ink);
    }
}

/** What the encoder sees, in steps of 1/255: pixel by pixel the mean of the paper's dots; centred:
 * moved first, so that the centre of mass lies on pixel (height / 2, width / 2), as in MNIST. */
export function seenImage(paper, [height, width], centred) {
  const wide = width * FINE, tall = height * FINE, out = new Float32Array(height * width);
  let [right, down] = [0, 0];
  if (centred) {
    let mass = 0, x = 0, y = 0;
    for (let row = 0; row < tall; row++)
      for (let column = 0; column < wide; column++) {
        const ink = paper[row * wide + column];
        mass += ink;
        x += ink * (column + 0.5);
        y += ink * (row + 0.5);
      }
    if (mass) right = Math.round((width / 2 + 0.5) * FINE - x / mass);
    if (mass) down = Math.round((height / 2 + 0.5) * FINE - y / mass);
  }
  const [low, high] = [Math.max(0, right), Math.min(wide, wide + right)];
  for (let row = Math.max(0, down); row < Math.min(tall, tall + down); row++)
    for (let column = low; column < high; column++)
      out[Math.floor(row / FINE) * width + Math.floor(column / FINE)] +=
        paper[(row - down) * wide + column - right] / FINE ** 2;
  return out.map((ink) => Math.round(255 * ink) / 255);
}

const HINT = "Draw with mouse, pen or finger. Keys: arrows move the pen (with Shift further), "
  + "Space puts it down or lifts it, Delete clears.";

/** A sheet of paper to draw on. `drawn(from, to, erase)` gets each line, in the order drawn, at
 * the next frame; `later` asks for a frame, which first calls take(). `clear()` is called for Delete,
 * `pen(at, down)` when keys have moved the pen. Returns the canvas, the pad around it, take, and
 * dragging(): whether a pointer draws. */
export function sheet(parent, { height, width, guard, later, drawn, clear, pen }) {
  const pad = add(parent, "div", {
    className: "pad paper", role: "application", tabIndex: 0,
    "data-lm-suppress-shortcuts": "true", "aria-label": `Paper to draw on. ${HINT}`,
  });
  const canvas = picture(pad, width * FINE, height * FINE, "The drawing");
  const mark = add(pad, "div", { className: "nib", hidden: true });
  let queue = [], last = null, erasing = false, at = [width / 2, height / 2], down = false, holding = false;
  const note = (event) => {
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const { clientX, clientY } of moves.length ? moves : [event]) queue.push([clientX, clientY]);
    later();
  };
  pad.addEventListener("pointerdown", guard((event) => {
    if (![0, 5].includes(event.button) || !event.isPrimary) return;
    event.preventDefault();
    [holding, mark.hidden] = [true, true];
    pad.focus({ preventScroll: true });
    pad.setPointerCapture(event.pointerId);
    erasing = (event.buttons & 32) > 0; // a pen's other end
    queue.push(null); // a new line begins
    note(event);
  }));
  pad.addEventListener("pointermove", guard((event) => holding && note(event)));
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"])
    pad.addEventListener(type, guard((event) => {
      if (!holding) return;
      holding = false;
      if (type === "pointerup") note(event);
      else later();
    }));
  const showPen = () => {
    Object.assign(mark.style, { left: percent(at[0], width), top: percent(at[1], height) });
    mark.hidden = false;
    mark.classList.toggle("down", down);
    pen(at, down);
  };
  const go = (x, y) => {
    const next = [clip(at[0] + x, 0, width), clip(at[1] + y, 0, height)];
    if (down) drawn(at, next, false);
    at = next;
  };
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  pad.addEventListener("keydown", guard((event) => {
    const { key, shiftKey, ctrlKey, altKey, metaKey } = event;
    if (ctrlKey || altKey || metaKey) return;
    if (key in ways) go(...ways[key].map((step) => step * (shiftKey ? 4 : 1)));
    else if (key === " ") {
      down = !down;
      if (down) drawn(at, at, false);
    } else if (key === "Delete" || key === "Backspace") clear();
    else if (key === "Home") go(width / 2 - at[0], height / 2 - at[1]);
    else return;
    event.preventDefault();
    event.stopPropagation();
    showPen();
    later();
  }));
  pad.addEventListener("focus", guard(() => holding || showPen()));
  return {
    pad, canvas,
    dragging: () => holding,
    take() {
      if (!queue.length) return;
      const box = canvas.getBoundingClientRect();
      const to = ([x, y]) => [((x - box.left) * width) / box.width, ((y - box.top) * height) / box.height];
      for (const place of queue) {
        const next = place && to(place);
        if (next) drawn(last ?? next, next, erasing);
        last = next;
      }
      queue = [];
    },
  };
}
