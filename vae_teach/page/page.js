// The explorers of a page without JupyterLab: no kernel, no network, no widget manager. The page holds
// the widgets' state as Jupyter saves it, and an element with data-explorer = model id for each.

/** A widget's traits, with the part of the Jupyter model's interface that the explorers use. */
class Model {
  constructor(saved, models) {
    this.traits = { ...saved.state };
    for (const { path, data } of saved.buffers ?? []) {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      this.traits[path[0]] = new DataView(bytes.buffer);
    }
    this.heard = [];
    this.widget_manager = { get_model: async (id) => models[id] };
  }
  get(name) {
    return this.traits[name];
  }
  set(changes, value) {
    if (typeof changes === "string") changes = { [changes]: value };
    const changed = Object.keys(changes).filter((name) => this.traits[name] !== changes[name]);
    Object.assign(this.traits, changes);
    for (const name of changed)
      for (const [event, f] of [...this.heard]) if (event === `change:${name}`) f();
  }
  on(events, f) {
    for (const event of events.split(" ")) this.heard.push([event, f]);
  }
  off(events, f) {
    this.heard = this.heard.filter(([event, g]) => g !== f || !events.split(" ").includes(event));
  }
  save_changes() {} // nobody to tell
}

const saved = JSON.parse(document.getElementById("vae-teach-state").textContent);
const models = {}, modules = new Map();
for (const [id, state] of Object.entries(saved)) models[id] = new Model(state, models);
for (const place of document.querySelectorAll("[data-explorer]")) {
  const model = models[place.getAttribute("data-explorer")], script = model.get("_esm");
  if (!modules.has(script)) {
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    modules.set(script, import(address));
  }
  const { default: widget } = await modules.get(script);
  await widget.render({ model, el: place });
}
