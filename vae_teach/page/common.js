// What all explorers share: errors shown, one drawing a frame, sliders, pads, pixels.

/** A new child element with these properties; names with a hyphen are attributes. */
export function add(parent, tag, properties = {}) {
  const child = parent.appendChild(document.createElement(tag));
  for (const [name, value] of Object.entries(properties))
    if (name.includes("-") || name === "role") child.setAttribute(name, value);
    else child[name] = value;
  return child;
}

/** The widget made by `build(parts)`, under a root of class `vae-teach <name>`. build gets
 * - model, and root, where it puts its elements;
 * - guard(f): f, with an error shown to the reader instead of thrown;
 * - framed(draw): a function that asks for one drawing at the next frame, however often it is called;
 * - follow(names, f): f is called when one of these traits changes, until the widget is gone;
 * - send(changes): sets traits at once here, and in the kernel when it finds the time;
 * - until(f): f is called when the widget goes. */
export function explorer(name, build) {
  async function render({ model, el }) {
    const outer = add(el, "div", { className: `vae-teach ${name}` });
    const root = add(outer, "div", { className: "parts" });
    const error = add(outer, "p", { className: "error", role: "alert", hidden: true });
    const ends = [];
    let saving = 0;
    const tell = (problem) => {
      error.textContent = `The explorer stopped: ${problem.message}`;
      error.hidden = false;
    };
    const guard = (f) => (...all) => {
      try {
        return f(...all);
      } catch (problem) {
        tell(problem);
      }
    };
    const until = (f) => ends.push(f);
    const framed = (draw) => {
      let frame = 0;
      const safe = guard(draw);
      until(() => cancelAnimationFrame(frame));
      return () => {
        frame ||= requestAnimationFrame(() => {
          frame = 0;
          safe();
        });
      };
    };
    const follow = (names, f) => {
      const events = names.split(" ").map((trait) => `change:${trait}`).join(" ");
      model.on(events, f);
      until(() => model.off(events, f));
    };
    const save = guard(() => {
      saving = 0;
      model.save_changes();
    });
    const send = (changes) => {
      model.set(changes);
      saving ||= setTimeout(save, 100); // ipywidgets merges what a busy kernel misses
    };
    try {
      await build({ model, root, guard, framed, follow, send, until });
    } catch (problem) {
      tell(problem);
    }
    outer.classList.toggle("vae-teach-live", error.hidden); // hides the still picture beside it
    return () => {
      ends.forEach((end) => end());
      outer.remove(); // JupyterLab keeps the element of a view that was closed
    };
  }
  return { render };
}

export const clip = (v, low, high) => Math.min(high, Math.max(low, v));

/** A number as readers write it, with a true minus sign and without −0. */
export function shown(v, digits = 2) {
  const text = v.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

export const codeText = (z) => `z = (${z.map((v) => shown(v)).join(", ")})`;

/** Moves a child of a box, an element with container-type: inline-size, to (x, y), in hundredths of
 * the box's width from its upper left corner. Unlike left and top this asks for no layout. */
export function shift(child, x, y) {
  child.style.transform = `translate(${x}cqw, ${y}cqw)`;
}

export const percent = (part, whole) => `${(100 * part) / whole}%`;

/** Pixels of a canvas for each of the page's: as the screen has them, but 2 at most, as more cost much
 * and show little. */
export const sharpness = () => clip(Math.ceil(window.devicePixelRatio || 1), 1, 2);

/** Changes an element's words, if they are not the same: even those would be laid out and painted. */
export function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** A canvas of width × height pixels that is an image to a screen reader. */
export function picture(parent, width, height, label, className = "") {
  const canvas = add(parent, "canvas", { width, height, className, role: "img", "aria-label": label });
  canvas.style.aspectRatio = `${width} / ${height}`;
  return canvas;
}

/** The light, from 0 to 255, of ink in [0, 1] on white paper: pixel i of `area`, colour c (red, green,
 * blue). One channel is ink, three are light already. */
const light = (pixels, channels, area, i, c) =>
  255 * (channels === 1 ? 1 - pixels[i] : pixels[c * area + i]);

/** Paint an image [channels, height, width] of ink in [0, 1] with its corner at (left, top). */
export function paint(canvas, pixels, [channels, height, width], left = 0, top = 0) {
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const area = width * height;
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = light(pixels, channels, area, i, c);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, left, top);
}

/** An image [channels, height, width] of ink in [0, 1] as the address of an <img>: unlike a canvas that
 * is no layer of its own, each of which slows every frame of a page. A BMP, made by hand, as browsers
 * that guard against fingerprints give no image of a canvas. */
export function address(pixels, [channels, height, width]) {
  const area = height * width, row = 4 * Math.ceil((3 * width) / 4), size = 54 + height * row;
  const view = new DataView(new ArrayBuffer(size));
  view.setUint16(0, 0x424d); // "BM"; then sizes, and where pixels begin
  for (const [at, number] of [[2, size], [10, 54], [14, 40], [18, width], [22, height]])
    view.setUint32(at, number, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true); // bits a pixel: blue, green, red; the lowest row first
  for (let i = 0; i < area; i++)
    for (let c = 0; c < 3; c++) {
      const at = 54 + (height - 1 - Math.floor(i / width)) * row + 3 * (i % width) + c;
      view.setUint8(at, Math.round(clip(light(pixels, channels, area, i, 2 - c), 0, 255)));
    }
  let text = "";
  for (let i = 0; i < size; i++) text += String.fromCharCode(view.getUint8(i));
  return `data:image/bmp;base64,${btoa(text)}`;
}

/** What draw(context) leaves on a square canvas with its origin in the middle: x, y and opacity of each
 * pixel that has ink, as one list; a dot where a browser that guards against fingerprints tells no truth
 * about a canvas. */
export function inked(side, draw) {
  const context = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
  context.translate(side / 2, side / 2);
  draw(context);
  const { data } = context.getImageData(0, 0, side, side), area = side * side;
  const all = Array.from({ length: area }, (_, k) =>
    [(k % side) - side / 2, Math.floor(k / side) - side / 2, data[4 * k + 3] / 255]);
  let pixels = all.filter(([, , over]) => over);
  if (pixels.length > 0.8 * area)
    pixels = all.map(([x, y]) => [x, y, 1]).filter(([x, y]) => Math.hypot(x + 0.5, y + 0.5) < side / 6);
  return Float32Array.from(pixels.flat());
}

/** Lays such pixels with their middle at (x, y), whole numbers, over an image in a colour: hundreds of
 * small drawings cost a canvas more than half a frame. */
export function stamp({ data, width, height }, pixels, x, y, [red, green, blue]) {
  for (let k = 0; k < pixels.length; k += 3) {
    const column = x + pixels[k], row = y + pixels[k + 1], over = pixels[k + 2];
    const to = (row * width + column) << 2;
    if (column < 0 || row < 0 || column >= width || row >= height) continue;
    const under = ((1 - over) * data[to + 3]) / 255, share = over / (over + under);
    data[to] += share * (red - data[to]);
    data[to + 1] += share * (green - data[to + 1]);
    data[to + 2] += share * (blue - data[to + 2]);
    data[to + 3] = 255 * (over + under);
  }
}

/** Image number `index` of a DataView of bytes, as ink in [0, 1]. */
export function stored(view, index, shape) {
  const count = shape[0] * shape[1] * shape[2], out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = view.getUint8(index * count + i) / 255;
  return out;
}

/** A labelled slider: Tab reaches it, arrows, Home and End move it. `say(value)` is what it reads;
 * `moved(value)` is called while it is dragged. Returns the element, with `show(value)`. */
export function slider(parent, { label, min, max, step, value, say = (v) => shown(v), moved }) {
  const row = add(parent, "label", { className: "slider" });
  const name = add(row, "span", { className: "name", textContent: label });
  const input = add(row, "input", { type: "range", "data-lm-suppress-shortcuts": "true" });
  const readout = add(row, "output", { className: "value", "aria-live": "off" }); // the input says it
  Object.assign(input, { min, max, step });
  let last = null, place = null;
  row.show = (v) => {
    const text = say(v);
    if (v === last && text === readout.textContent && input.value === place) return;
    input.value = last = v;
    place = input.value; // on the grid, and between min and max
    write(readout, text);
    input.setAttribute("aria-valuetext", text);
  };
  input.addEventListener("input", () => {
    row.show(Number(input.value));
    moved(Number(input.value));
  });
  row.show(value);
  return Object.assign(row, { input, name });
}

export function button(parent, label, title, pressed) {
  const made = add(parent, "button", { type: "button", textContent: label, title });
  made.addEventListener("click", pressed);
  return made;
}

/** Test images to choose from, each a button: `chosen(index)` is called, and again with -1 when the
 * same one is pressed again. Returns the element, with `show(index)`. */
export function gallery(parent, { label, images, count, shape, names, chosen }) {
  const group = add(parent, "div", { className: "gallery", role: "group", "aria-label": label });
  const items = Array.from({ length: count }, (_, i) => {
    const item = button(group, "", names(i), () => {
      const on = item.getAttribute("aria-pressed") === "true";
      chosen(on ? -1 : i);
    });
    item.setAttribute("aria-label", names(i));
    item.setAttribute("aria-pressed", "false");
    add(item, "img", { src: address(stored(images, i, shape), shape), alt: "" });
    return item;
  });
  group.show = (index) =>
    items.forEach((item, i) => item.setAttribute("aria-pressed", String(i === index)));
  return group;
}

/** Lets a pointer and the arrow keys move over an element of role slider: `to(x, y)` gets places on
 * the screen, at most once a frame; `by(right, up, far)` gets arrow keys (far: with Shift), `home()`
 * and `end()` the keys of that name. `later` asks for a drawing, which first calls `take()`.
 * Returns take, and dragging(): whether the button is down. */
export function draggable(element, { to, by, home, end, later, guard }) {
  let pointer = null, dragging = false;
  const follow = (event) => {
    pointer = [event.clientX, event.clientY];
    later();
  };
  const release = guard((event) => {
    if (!dragging) return;
    dragging = false;
    if (event.type === "pointerup") follow(event);
    else later();
  });
  element.addEventListener("pointerdown", guard((event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
    dragging = true;
    follow(event);
  }));
  element.addEventListener("pointermove", guard((event) => dragging && follow(event)));
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"])
    element.addEventListener(type, release);
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  element.addEventListener("keydown", guard((event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { key, shiftKey } = event;
    const act = key in ways ? () => by(...ways[key], shiftKey) : { Home: home, End: end }[key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }));
  return {
    dragging: () => dragging,
    take() {
      if (pointer) to(...pointer);
      pointer = null;
    },
  };
}
