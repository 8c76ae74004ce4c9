// A picture of the user's own: chosen, dropped or pasted, or a sample.

import { element } from "./dom.js";

/**
 * Return an element to give a picture with; `chosen(blob, file)` is called for each, with its `name`, and its `address`
 * if the server has it.
 *
 * @param panel The panel of the tab: pictures may be dropped anywhere on it, and pasted while it is shown.
 * @param samples Names of files of this page, by what their button says.
 */
export function pictureInput(panel, most, samples, chosen) {
  const take = (file) => {
    if (!file) return;
    if (file.size > most) {
      panel.refuse(`${file.name} has ${megabytes(file.size)}; the server takes ${megabytes(most)}.`);
    } else {
      chosen(file, { name: file.name });
    }
  };
  const input = element("input", { type: "file", accept: "image/*", change: () => { take(input.files[0]); input.value = ""; } });
  listen(panel.root, take);
  return element("div", { class: "give" },
    element("label", { class: "file" }, "Choose a picture", input),
    Object.entries(samples).map(([text, name]) => element("button", { type: "button", click: () => sample(panel, name, chosen) }, text)),
    element("span", { class: "soft" }, "or drop or paste one here"));
}

/** Take what is dropped on a panel, or pasted while it is shown. */
function listen(root, take) {
  const marked = (on) => root.classList.toggle("over", on);
  root.addEventListener("dragover", () => marked(true));
  root.addEventListener("dragleave", () => marked(false));
  root.addEventListener("drop", (event) => {
    marked(false);
    take(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    if (!root.parentElement?.hidden) take(event.clipboardData.files[0]);
  });
}

async function sample(panel, name, chosen) {
  const address = new URL(name, location.href).href;
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error();
    chosen(await response.blob(), { name, address });
  } catch {
    panel.refuse(`The sample ${name} cannot be had from the server.`);
  }
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Return a picture as pixels, or `null` where this browser cannot show its format. */
export async function pixelsOf(blob) {
  try {
    return await createImageBitmap(blob);
  } catch {
    return null;
  }
}

/** Return the address of a PNG in base64. */
export const pngAddress = (text) => `data:image/png;base64,${text}`;

/** Return a PNG in base64 as a Blob. */
export function pngBlob(text) {
  return new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], { type: "image/png" });
}
