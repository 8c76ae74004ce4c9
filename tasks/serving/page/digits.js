// Digits: draw one, and see what each layer makes of it.

import { bars, element, fill, percent, say } from "./dom.js";
import { Panel } from "./panel.js";
import { pictureInput, pixelsOf, pngAddress } from "./pictures.js";
import { newest } from "./server.js";
import { sheet } from "./sheet.js";
import { drawing } from "./drawing.js";

/** Return the tab. */
export default function digits(task, most) {
  const panel = new Panel(task, { own: { layers: true }, changed: () => again() });
  const read = element("img", { width: 112, height: 112, class: "pixels", alt: "The 28 by 28 pixels that the network reads", hidden: true });
  const label = element("p", { class: "answer" });
  const chances = element("div");
  const layers = element("div", { class: "layers" });
  let given = null; // a file in place of the drawing: its blob and what it is

  const again = newest(async (signal) => {
    if (!given && pad.isEmpty()) return clear();
    const blob = given?.blob ?? await pad.picture();
    const answer = await panel.ask(blob, { signal, file: given?.file ?? { name: "digit.png" } });
    if (answer && (given || !pad.isEmpty())) show(answer); // not after all was cleared
  }, 60, { live: true });

  const pad = drawing(() => {
    given = null;
    again();
  });

  function clear() {
    for (const part of [label, chances, layers]) fill(part);
    read.hidden = true;
    say(panel.status, "Nothing is drawn.");
    panel.refuse("");
  }

  function show(answer) {
    const several = answer.characters > 1 ? ` It shows ${answer.characters} characters; the largest is read.` : "";
    if (answer.label === null) {
      fill(label, answer.reason);
      fill(chances);
    } else {
      fill(label, element("b", {}, answer.label), ` ${percent(answer.probability)}`);
      fill(chances, bars(answer.probabilities));
    }
    say(panel.status, answer.label === null ? answer.reason : `Read as ${answer.label}.${several}`);
    read.hidden = !answer.read;
    if (answer.read) read.src = pngAddress(answer.read);
    showLayers(layers, answer.layers ?? []);
  }

  async function take(blob, file) {
    given = { blob, file };
    const pixels = await pixelsOf(blob);
    pad.show(pixels);
    again();
  }

  panel.body.append(
    element("div", { class: "draw" },
      element("div", {}, pad.root,
        element("div", { class: "give" },
          element("button", { type: "button", click: () => { given = null; pad.clear(); clear(); } }, "Clear"),
          element("button", { type: "button", click: () => pad.save("digit.png") }, "Save the drawing")),
        pictureInput(panel, most, {}, take)),
      element("div", { class: "found" }, label, chances),
      element("figure", {}, read, element("figcaption", { class: "soft" }, "What the network reads: 28×28"))),
    element("h2", {}, "Layer by layer"),
    element("p", { class: "soft" }, "Each square is one feature map: bright where its filter finds what it has learnt to look for."),
    layers);
  clear();
  return panel.root;
}

/** Show the maps of each layer; the elements of the last answer are used again, so that the page does not jump. */
function showLayers(parent, layers) {
  if (parent.childElementCount !== layers.length) {
    fill(parent, layers.map(() => element("figure", {}, element("figcaption"), element("canvas", { role: "img" }))));
  }
  layers.forEach((layer, place) => {
    const [caption, canvas] = parent.children[place].children;
    const size = layer.values ? `${layer.values.length} values` : `${layer.channels} maps of ${layer.width}×${layer.height}`;
    say(caption, `${layer.name}: ${size}`);
    canvas.setAttribute("aria-label", `${layer.name}, ${size}`);
    sheet(canvas, layer);
  });
}
