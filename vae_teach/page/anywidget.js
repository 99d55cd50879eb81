// What anywidget runs for each explorer: the first of its files loads the others, and draws.

const loaded = (globalThis.vaeTeach ??= new Map()); // a file's text -> its module

async function render({ model, el }) {
  const id = model.get("files")[0].replace("IPY_MODEL_", "");
  const text = (await model.widget_manager.get_model(id)).get("text");
  const address = () => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  if (!loaded.has(text)) loaded.set(text, import(address()));
  return (await loaded.get(text)).render({ model, el });
}

export default { render };
