// A map of a 2-D latent space, and beside it the decoder, evaluated in the page.

/** float16 numbers of a DataView (any offset, little endian) as float32. */
export function halves(view) {
  const out = new Float32Array(view.byteLength >> 1);
  for (let i = 0; i < out.length; i++) {
    const bits = view.getUint16(2 * i, true);
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    out[i] = bits & 0x8000 ? -size : size;
  }
  return out;
}

function linear(x, weights, at, inputs, outputs) {
  const out = weights.slice(at + inputs * outputs, at + (inputs + 1) * outputs); // the biases
  for (let o = 0; o < outputs; o++) {
    const row = at + o * inputs;
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += weights[row + i] * x[i];
    out[o] += sum;
  }
  return out;
}

/** 3×3 convolution, stride 1, one ring of zeros around. */
function conv3(x, weights, at, inputs, outputs, height, width) {
  const wide = width + 2, plane = wide * (height + 2), area = height * width;
  const padded = new Float32Array(inputs * plane);
  for (let c = 0; c < inputs; c++)
    for (let y = 0; y < height; y++)
      padded.set(x.subarray(c * area + y * width, c * area + (y + 1) * width),
        c * plane + (y + 1) * wide + 1);
  const out = new Float32Array(outputs * area), biases = at + 9 * inputs * outputs;
  for (let o = 0; o < outputs; o++) {
    out.fill(weights[biases + o], o * area, (o + 1) * area);
    for (let k = 0; k < 9 * inputs; k++) {
      const weight = weights[at + o * 9 * inputs + k];
      const start = Math.floor(k / 9) * plane + Math.floor((k % 9) / 3) * wide + (k % 3);
      for (let y = 0; y < height; y++) {
        const from = start + y * wide, to = o * area + y * width;
        for (let j = 0; j < width; j++) out[to + j] += weight * padded[from + j];
      }
    }
  }
  return out;
}

function upsample2(x, channels, height, width) {
  const out = new Float32Array(4 * x.length);
  for (let y = 0; y < 2 * channels * height; y++)
    for (let j = 0; j < 2 * width; j++) out[y * 2 * width + j] = x[(y >> 1) * width + (j >> 1)];
  return out;
}

const pointwise = {
  relu: (v) => (v > 0 ? v : 0),
  leaky_relu: (v, slope) => (v > 0 ? v : slope * v),
  tanh: Math.tanh,
  sigmoid: (v) => 1 / (1 + Math.exp(-v)),
  clamp: (v) => (v > 0 ? (v < 1 ? v : 1) : 0),
};

/** The image decoded from code z: float32, channel by channel, row by row.
 * `layers` is a list of [name, ...sizes]; `weights` holds each layer's weights, then its biases. */
export function decode(layers, weights, z) {
  let x = Float32Array.from(z), shape = [x.length], at = 0;
  for (const [name, ...sizes] of layers) {
    if (name === "linear") {
      x = linear(x, weights, at, ...sizes);
      shape = [sizes[1]];
      at += (sizes[0] + 1) * sizes[1];
    } else if (name === "conv") {
      x = conv3(x, weights, at, ...sizes, shape[1], shape[2]);
      shape = [sizes[1], shape[1], shape[2]];
      at += (9 * sizes[0] + 1) * sizes[1];
    } else if (name === "upsample") {
      x = upsample2(x, ...shape);
      shape = [shape[0], 2 * shape[1], 2 * shape[2]];
    } else if (name === "unflatten") {
      shape = sizes;
    } else if (name in pointwise) {
      const f = pointwise[name];
      for (let i = 0; i < x.length; i++) x[i] = f(x[i], sizes[0]);
    } else throw new Error(`The page cannot evaluate the layer "${name}".`);
  }
  return x;
}

// The map's square [-limit, limit]² in the SVG's units: room for tick labels left and below.
const SIDE = 400, LEFT = 44, TOP = 1, WIDTH = 446, HEIGHT = 438;
const SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz";
const text = (z) => `z = (${z.map((v) => (Math.abs(v) < 0.005 ? 0 : v).toFixed(2)).join(", ")})`;

function mapSvg(model) {
  const limit = model.get("limit"), tick = model.get("tick"), scale = SIDE / (2 * limit);
  const px = (v) => (LEFT + SIDE / 2 + v * scale).toFixed(1);
  const py = (v) => (TOP + SIDE / 2 - v * scale).toFixed(1);
  const view = model.get("points"), count = view.byteLength / 5, bottom = TOP + SIDE;
  const at = halves(new DataView(view.buffer, view.byteOffset, 4 * count));
  let ticks = "", circles = "", marks = "";
  for (let i = -Math.floor(limit / tick); i <= limit / tick; i++) {
    const v = +(i * tick).toPrecision(6), label = String(v).replace("-", "−");
    ticks += `<path d="M${px(v)} ${bottom}v5M${LEFT} ${py(v)}h-5"/>
      <text x="${px(v)}" y="${bottom + 18}" text-anchor="middle">${label}</text>
      <text x="${LEFT - 8}" y="${py(v)}" dy=".35em" text-anchor="end">${label}</text>`;
  }
  for (const radius of model.get("prior") ? [1, 2] : []) {
    if (radius > limit || radius * scale < 12) continue;
    const circle = `cx="${px(0)}" cy="${py(0)}" r="${radius * scale}"/>`;
    circles += `<circle class="halo" ${circle}<circle ${circle}
      <text x="${px(0)}" y="${py(radius)}" dy="-4" text-anchor="middle">${radius} sd of p(z)</text>`;
  }
  for (let i = 0; i < count; i++) {
    const label = view.getUint8(4 * count + i);
    marks += `<text class="c${label % 10}" x="${px(at[2 * i])}" y="${py(at[2 * i + 1])}"
      dy=".35em">${SIGNS[label]}</text>`;
  }
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">
    <g class="marks">${marks}</g><g class="prior">${circles}</g>
    <g class="axes"><rect x="${LEFT}" y="${TOP}" width="${SIDE}" height="${SIDE}"/>${ticks}
      <text class="name" x="${LEFT + SIDE / 2}" y="${HEIGHT - 2}" text-anchor="middle">z₁</text>
      <text class="name" x="9" y="${TOP + SIDE / 2}" dy=".35em" text-anchor="middle">z₂</text></g></svg>`;
}

function legend(model, list) {
  for (const [label, name] of Object.entries(model.get("classes"))) {
    const item = list.appendChild(document.createElement("li"));
    const sign = item.appendChild(document.createElement("b"));
    sign.className = `c${label % 10}`;
    sign.textContent = SIGNS[label];
    item.append(` ${name}`);
  }
  list.hidden = !list.children.length;
}

/** Paint ink in [0, 1] on white paper; three channels are red, green and blue light. */
function paint(canvas, pixels, channels) {
  const { width, height } = canvas, area = width * height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++)
      image.data[4 * i + c] = 255 * (channels === 1 ? 1 - pixels[i] : pixels[c * area + i]);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function build(model, el) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "vae-teach-plane";
  const what = model.get("prior") ? ["Decoded: mean of p(x|z)", ", the mean of p(x|z)"] : ["Decoded image", ""];
  root.innerHTML = `<div class="panels">
      <div class="panel map"><div class="heading">Latent space: drag to choose z</div>
        <div class="pad" role="slider" tabindex="0" data-lm-suppress-shortcuts="true"
          aria-label="Code z in the latent plane. Arrow keys move it, with Shift further; Home: origin">
          ${mapSvg(model)}<div class="here"></div></div></div>
      <div class="panel image"><div class="heading">${what[0]}</div>
        <canvas role="img" aria-label="Image decoded at the chosen z${what[1]}"></canvas>
        <div class="readout"></div></div></div>
    <ul class="names"></ul><p class="error" role="alert" hidden></p>`;
  const find = (selector) => root.querySelector(selector);
  const pad = find(".pad"), here = find(".here"), canvas = find("canvas"), error = find(".error");
  const limit = model.get("limit"), tick = model.get("tick"), layers = model.get("layers");
  const weights = halves(model.get("weights"));
  const [channels, height, width] = model.get("image_shape");
  Object.assign(canvas, { width, height });
  canvas.style.aspectRatio = `${width} / ${height}`;
  pad.setAttribute("aria-valuemin", -limit);
  pad.setAttribute("aria-valuemax", limit);
  legend(model, find(".names"));
  let frame = 0, saving = 0, pointer = null, dragging = false;

  const guarded = (f) => (event) => {
    try {
      f(event);
    } catch (problem) {
      error.textContent = `The explorer stopped: ${problem.message}`;
      error.hidden = false;
    }
  };
  const code = () => [model.get("z1"), model.get("z2")];
  const move = (z) => {
    const inside = (v) => +Math.min(limit, Math.max(-limit, v)).toFixed(4);
    model.set({ z1: inside(z[0]), z2: inside(z[1]) });
  };
  const draw = guarded(() => {
    frame = 0;
    if (pointer) {
      const box = pad.getBoundingClientRect(), unit = (2 * limit * WIDTH) / (SIDE * box.width);
      const [x, y] = pointer;
      pointer = null;
      move([(x - box.left) * unit - (2 * limit * LEFT) / SIDE - limit,
        limit + (2 * limit * TOP) / SIDE - (y - box.top) * unit]);
    }
    const z = code(), [x, y] = z.map((v) => Math.min(limit, Math.max(-limit, v)));
    here.style.left = `${(100 * (LEFT + (SIDE / 2) * (1 + x / limit))) / WIDTH}%`;
    here.style.top = `${(100 * (TOP + (SIDE / 2) * (1 - y / limit))) / HEIGHT}%`;
    find(".readout").textContent = text(z);
    if (!dragging) { // a screen reader hears where a drag ended, not each step of it
      pad.setAttribute("aria-valuenow", z[0]);
      pad.setAttribute("aria-valuetext", text(z));
    }
    paint(canvas, decode(layers, weights, z), channels);
    saving ||= setTimeout(save, 50); // ipywidgets merges what a busy kernel misses
  });
  const save = guarded(() => {
    saving = 0;
    model.save_changes();
  });
  const later = () => (frame ||= requestAnimationFrame(draw));
  const follow = (event) => {
    pointer = [event.clientX, event.clientY];
    later();
  };
  const release = guarded((event) => {
    if (!dragging) return;
    dragging = false;
    if (event.type === "pointerup") follow(event);
    else later();
  });
  pad.addEventListener("pointerdown", guarded((event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    pad.focus({ preventScroll: true });
    pad.setPointerCapture(event.pointerId);
    dragging = true;
    follow(event);
  }));
  pad.addEventListener("pointermove", guarded((event) => dragging && follow(event)));
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"])
    pad.addEventListener(type, release);
  pad.addEventListener("keydown", guarded((event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if ((!(event.key in way) && event.key !== "Home") || event.ctrlKey || event.altKey || event.metaKey)
      return;
    event.preventDefault();
    event.stopPropagation();
    const step = event.shiftKey ? tick / 2 : tick / 10, z = code();
    move(event.key === "Home" ? [0, 0] : z.map((v, i) => v + step * way[event.key][i]));
  }));
  model.on("change:z1 change:z2", later);
  draw();
  root.classList.toggle("vae-teach-live", error.hidden); // hides the still picture beside it
  return () => {
    model.off("change:z1 change:z2", later);
    cancelAnimationFrame(frame);
  };
}

function render({ model, el }) {
  try {
    return build(model, el);
  } catch (problem) {
    el.replaceChildren();
    const message = el.appendChild(document.createElement("p"));
    message.setAttribute("role", "alert");
    message.textContent = `The latent plane cannot be drawn: ${problem.message}`;
  }
}

export default { render };
