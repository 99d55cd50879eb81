// A panel: inputs above a picture that the kernel draws, or that was drawn beforehand.

import { add, explorer, picture, shown, slider } from "./common.js";

const PATIENCE = 1000; // ms after which the page says that it waits
const NEEDED = "Run the cell to drag: the kernel draws this picture.";
const KEYS = { "data-lm-suppress-shortcuts": "true" }; // JupyterLab leaves the arrow keys to these
const WAITING = "Waiting for the kernel. If none runs, run the cell to drag.";

/** A number in a control's format: d, .2f, .1%, or .3g, but 1000 instead of 1.00e+3. */
export function written(v, format) {
  const [, digits, kind] = /(\d*)([a-z%]?)$/.exec(format);
  if (kind === "g") {
    const text = v.toPrecision(digits || 6);
    return (text.includes("e") ? String(Number(text)) : text).replace("-", "−");
  }
  if (kind === "%") return `${shown(100 * v, Number(digits || 0))} %`;
  return shown(v, kind === "d" ? 0 : Number(digits || 2));
}

/** The values at a slider's positions 0, 1, …, last: `at(position)`, and back: `place(value)`. */
export function stepped({ min, max, step, base }) {
  const last = Math.ceil((max - min) / step - 1e-9);
  const at = (k) => {
    const x = Math.min(max, min + k * step);
    return base ? base ** x : Number(x.toPrecision(12)); // 0.3, not 0.30000000000000004
  };
  const place = (v) => {
    if (2 * v > at(last) + at(last - 1)) return last; // the last step may be a shorter one
    return Math.round(((base ? Math.log(v) / Math.log(base) : v) - min) / step);
  };
  return { last, at, place };
}

export function listed(values) {
  return { last: values.length - 1, at: (k) => values[k], place: (v) => values.indexOf(v) };
}

/** Inputs by kind: each builds one that calls `moved(value)`, and returns show(value). */
const INPUTS = {
  slider(parent, { label, options, format, min, max, step, base }, places, moved) {
    const all = options ? listed(options.map((_, i) => i)) : stepped({ min, max, step, base });
    const { last, at, place } = places ?? all;
    const text = (v) => (options ? options[v] : written(v, format));
    let exact = at(0); // the kernel may set a value between two steps
    const row = slider(parent, {
      label, min: 0, max: last, step: 1, value: 0,
      say: (k) => text(k === place(exact) ? exact : at(k)),
      moved(k) {
        exact = at(k);
        moved(exact);
      },
    });
    row.input.setAttribute("aria-label", label); // else the readout would be part of its name
    row.input.disabled = last < 1;
    return (v) => {
      exact = v;
      row.show(place(v));
    };
  },

  select(parent, { label, options }, _places, moved) {
    const row = add(parent, "label", { className: "choice" });
    add(row, "span", { className: "name", textContent: label });
    const input = add(row, "select", KEYS);
    for (const option of options) add(input, "option", { textContent: option });
    input.addEventListener("change", () => moved(input.selectedIndex));
    return (v) => {
      input.selectedIndex = v ?? -1;
    };
  },

  radio(parent, { label, options }, _places, moved) {
    const row = add(parent, "div", { className: "choice", role: "radiogroup", "aria-label": label });
    add(row, "span", { className: "name", textContent: label, "aria-hidden": "true" });
    const line = add(row, "span", { className: "options" }), name = `vae-teach-${Math.random()}`;
    const all = options.map((option, i) => {
      const item = add(line, "label");
      const input = add(item, "input", { type: "radio", name, ...KEYS });
      item.append(option);
      input.addEventListener("change", () => moved(i));
      return input;
    });
    return (v) => all.forEach((input, i) => (input.checked = i === v));
  },

  checkbox(parent, { label }, _places, moved) {
    const row = add(parent, "label", { className: "choice" });
    add(row, "span", { className: "name", textContent: label });
    const input = add(row, "input", { type: "checkbox", ...KEYS });
    input.addEventListener("change", () => moved(input.checked));
    return (v) => {
      input.checked = v;
    };
  },
};

/** Pictures drawn beforehand, if the page holds some: `grid`, each control's values, and
 * `at(values)`, the bytes of the picture there. */
function beforehand(model, names) {
  const grid = model.get("grid");
  if (!grid) return null;
  const bytes = model.get("frames"), which = model.get("which"), ends = model.get("ends");
  const views = ends.map((end, i) => new DataView(bytes.buffer, ends[i - 1] ?? 0, end - (ends[i - 1] ?? 0)));
  const index = (values) =>
    grid.reduce((sum, all, i) => sum * all.length + all.indexOf(values[names[i]]), 0);
  return { grid, at: (values) => views[which[index(values)]] };
}

async function panel({ model, root, guard, framed, follow, until }) {
  const specs = model.get("specs"), stored = beforehand(model, specs.map(({ name }) => name));
  const wanted = { ...model.get("shown") }; // what the inputs say
  let unsent = false, asked = 0, number = Math.random(), timer = 0; // asked: the request under way
  let data = null, ready = null, arrivals = 0, newest = 0, decoding = 0;

  const inputs = add(root, "div", { className: "inputs" });
  inputs.style.maxWidth = model.get("width");
  const shows = specs.map(({ kind, ...spec }, i) =>
    INPUTS[kind](inputs, spec, stored && listed(stored.grid[i]), guard((value) => {
      wanted[spec.name] = value;
      unsent = true;
      ask();
    })));
  const show = (values) => specs.forEach(({ name }, i) => shows[i]((wanted[name] = values[name])));
  const note = add(inputs, "p", { className: "note", role: "status" });
  const canvas = picture(root, 1, 1, model.get("alt"));
  const error = add(root, "p", { className: "error", role: "alert", hidden: true });

  // ipywidgets marks a widget that lost its kernel; a page of its own never had one.
  const alone = () => !model.send || root.closest(".jupyter-widgets-disconnected");
  const giveUp = () => {
    clearTimeout(timer);
    asked = 0;
    unsent = false;
    show(model.get("shown")); // the inputs say what the picture shows
    note.textContent = NEEDED;
  };
  const ask = () => {
    if (stored) return arrived();
    if (alone()) return giveUp();
    if (unsent && !asked) {
      unsent = false;
      asked = ++number;
      try {
        model.send({ number, values: { ...wanted } });
      } catch {
        return giveUp(); // the kernel was started anew
      }
      timer = setTimeout(guard(() => {
        if (alone()) giveUp();
        else note.textContent = WAITING;
      }), PATIENCE);
    }
  };

  // One request at a time, always with the newest values: nothing plays on after the hand has stopped.
  const next = () => {
    if (asked && model.get("answered") === asked) {
      clearTimeout(timer);
      asked = 0;
      note.textContent = "";
    }
    if (unsent) ask();
  };

  const later = framed(() => {
    if (ready) {
      if (canvas.width !== ready.width || canvas.height !== ready.height) {
        Object.assign(canvas, { width: ready.width, height: ready.height });
        canvas.style.aspectRatio = `${ready.width} / ${ready.height}`;
      }
      canvas.getContext("2d").drawImage(ready, 0, 0);
      ready.close();
      ready = null;
    }
    if (stored || decoding) return;
    const problem = model.get("error");
    if (error.textContent !== problem) error.textContent = problem;
    error.hidden = !problem;
    canvas.classList.toggle("old", Boolean(problem));
    next();
    if (!asked) show(model.get("shown")); // the kernel may have set them, or moved them to what it can
  });
  const decode = async () => {
    const mine = ++arrivals;
    decoding++;
    try {
      const bitmap = await createImageBitmap(new Blob([data], { type: "image/webp" }));
      if (mine < newest) bitmap.close(); // a newer one overtook it
      else {
        newest = mine;
        ready?.close();
        ready = bitmap;
      }
    } finally {
      decoding--;
    }
    if (newest < Infinity) later();
  };
  const arrived = guard(() => {
    const newer = stored ? stored.at(wanted) : model.get("image"), painting = decoding || ready;
    if (newer === data) return later();
    data = newer;
    decode().catch(guard((problem) => {
      throw problem;
    }));
    if (!stored && !painting) next(); // the kernel draws while the page paints, one picture ahead at most
  });

  show(wanted);
  if (stored)
    note.textContent = `Drawn beforehand at ${stored.grid.map((all) => all.length).join(" × ")} places.`;
  else if (alone()) note.textContent = NEEDED;
  until(() => {
    newest = Infinity; // what is still being decoded is not kept
    ready?.close();
    clearTimeout(timer);
  });
  follow("image answered error shown", arrived);
  data = stored ? stored.at(wanted) : model.get("image");
  await decode(); // an error here keeps the still picture
}

export default explorer("vae-teach-panel", panel);
