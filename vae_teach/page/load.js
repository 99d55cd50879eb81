// Makes modules and styles of an explorer's files, which stand in the page once for all explorers.

const addresses = new Map(); // a script's text, its imports replaced -> its address

/** The address of a script as a module. `known`: those of the scripts it may import, by path. */
function addressOf({ path, text }, known) {
  const linked = text.replace(/^(import [^;"]*")([^"]+)(?=";)/gm, (_, before, specifier) => {
    const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
    if (!known.has(target)) throw new Error(`${path} needs ${target}, which is not in this page.`);
    return before + known.get(target);
  });
  if (!addresses.has(linked)) {
    const blob = new Blob([linked], { type: "text/javascript" });
    addresses.set(linked, URL.createObjectURL(blob));
  }
  return addresses.get(linked);
}

/** Puts a style into the document, in the place of an older one of its path. */
function dress({ path, text }) {
  let style = document.getElementById(`vae-teach/${path}`);
  if (!style) {
    style = document.head.appendChild(document.createElement("style"));
    style.id = `vae-teach/${path}`;
  }
  if (style.textContent !== text) style.textContent = text;
}

/** Draws the explorer whose files the widget's trait of that name refers to; its script is the last. */
export async function render({ model, el }) {
  const files = await Promise.all(model.get("files").map(async (reference) => {
    const file = await model.widget_manager.get_model(reference.replace("IPY_MODEL_", ""));
    return { path: file.get("path"), text: file.get("text") };
  }));
  const known = new Map();
  for (const file of files)
    if (file.path.endsWith(".css")) dress(file);
    else known.set(file.path, addressOf(file, known));
  const { default: explorer } = await import(known.get(files.at(-1).path));
  return explorer.render({ model, el });
}
