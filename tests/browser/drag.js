// Drags an explorer from within its page, as a driver's own events are merged within a frame, and
// measures. Returns, in ms: median and p95 from an event to the moment after the frame that shows it;
// frames that showed something new; lag, from the last event to the frame that shows it; after, from
// the last event to the last drawing. One way has 200 events, a longer drag goes there and back.
async ({ root, handle, how, from, to, shows, reads, events, skip, pause, burst, patience }) => {
  const home = document.querySelector(root), element = home.querySelector(handle);
  const way = 200;
  const sent = Array(skip).fill(0), times = [], restore = [];
  let drawn = 0, waiting = 0, frames = 0, painted = skip, lastDrawing = 0, inFrame = false, over = false;

  // An event's value is its number, 1, 2, ...: a drawing shows the last event before it, or, where
  // the kernel draws, the value that the middle of the picture says: its grey level.
  const draws = (value) => {
    lastDrawing = performance.now();
    if (inFrame) drawn = Math.max(drawn, value);
    else waiting = Math.max(waiting, value); // painted in the next frame
  };
  const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const middle = (image, width, height) => {
    probe.drawImage(image, width / 2, height / 2, 1, 1, 0, 0, 1, 1);
    return 255 - probe.getImageData(0, 0, 1, 1).data[0];
  };
  const patch = (object, name, make) => {
    const before = object[name];
    object[name] = make(before);
    restore.push(() => (object[name] = before));
  };
  const original = requestAnimationFrame.bind(window);
  patch(window, "requestAnimationFrame", (ask) => (f) => ask.call(window, (now) => {
    inFrame = true;
    try {
      f(now);
    } finally {
      queueMicrotask(() => (inFrame = false)); // after observers of what f changed
    }
  }));
  for (const name of ["putImageData", "drawImage", "fillRect", "clearRect", "stroke", "fill"])
    patch(CanvasRenderingContext2D.prototype, name, (draw) => function (...all) {
      draw.apply(this, all);
      const { canvas } = this;
      if (canvas.isConnected && home.contains(canvas) && canvas.matches(shows))
        draws(reads ? middle(canvas, canvas.width, canvas.height) : sent.length);
    });
  const observer = new MutationObserver(async (records) => {
    if (!reads) {
      if (records.some(({ target }) => target.closest(shows))) draws(sent.length);
      return;
    }
    for (const record of records)
      for (const node of record.addedNodes) {
        const image = node.querySelector?.("img") ?? node;
        if (image.tagName !== "IMG") continue;
        await image.decode().catch(() => {}); // one that was replaced at once
        if (image.isConnected) draws(middle(image, image.naturalWidth, image.naturalHeight));
      }
  });
  observer.observe(home, { subtree: true, childList: true, attributes: !reads });

  const after = new MessageChannel();
  after.port1.onmessage = () => {
    const now = performance.now(), upTo = Math.min(drawn, sent.length);
    if (upTo > painted) frames++;
    for (; painted < upTo; painted++) times.push(now - sent[painted]);
  };
  const frame = () => {
    drawn = Math.max(drawn, waiting);
    after.port2.postMessage(0);
    if (!over) original(frame);
  };
  original(frame);

  const range = how === "input" && [element.min, element.max, element.step].map(Number);
  const steps = range ? Math.min(way, Math.round((range[1] - range[0]) / range[2])) : way;
  const move = (i) => {
    const at = i % (2 * steps), part = Math.min(at, 2 * steps - at) / steps;
    if (range) {
      element.value = range[0] + (range[1] - range[0]) * part;
      element.dispatchEvent(new Event("input", { bubbles: true }));
      return;
    }
    const about = { bubbles: true, buttons: 1, pointerId: 1, isPrimary: true,
      clientX: from[0] + (to[0] - from[0]) * part, clientY: from[1] + (to[1] - from[1]) * part };
    element.dispatchEvent(how === "mouse" ? new MouseEvent("mousemove", about)
      : new PointerEvent("pointermove", about));
  };
  const start = performance.now();
  for (let i = skip + 1; i <= events; i++) {
    const due = start + Math.ceil((i - skip) / burst) * pause;
    if (performance.now() < due) await new Promise((go) => setTimeout(go, due - performance.now()));
    sent.push(performance.now());
    move(i);
  }
  const end = sent[events - 1];
  while (painted < Math.min(events, way) && performance.now() < end + patience) await new Promise((go) => setTimeout(go, 20));
  const lag = painted < events ? Infinity : times.at(-1);
  await new Promise((go) => setTimeout(go, 250)); // does anything play on?
  over = true;
  after.port1.close();
  observer.disconnect();
  restore.forEach((back) => back());
  times.sort((a, b) => a - b);
  const part = (share) => times[Math.floor(times.length * share)] ?? Infinity;
  return { median: part(0.5), p95: part(0.95), frames, lag, after: lastDrawing - end, seconds: (end - start) / 1000 };
}
