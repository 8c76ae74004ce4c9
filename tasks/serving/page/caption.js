// Caption: a sentence for a picture, and where the network looked for each word.

import { element, fill, percent, roving, say } from "./dom.js";
import { Panel } from "./panel.js";
import { pictureInput, pixelsOf } from "./pictures.js";
import { newest } from "./server.js";

const ROWS = ["top", "middle", "bottom"];
const COLUMNS = ["left", "centre", "right"];

/** Return the tab. */
export default function caption(task, most) {
  const panel = new Panel(task, { own: { attention: true }, first: { look_alikes: 3 }, changed: () => again() });
  const picture = element("canvas", { role: "img", "aria-label": "The picture", width: 1, height: 1 });
  const looked = element("canvas", { class: "looked", "aria-hidden": "true", width: 1, height: 1 });
  const stage = element("div", { class: "stage", hidden: true }, picture, looked);
  const sentence = element("p", { class: "answer sentence", role: "group", "aria-label": "Caption, word by word" });
  const others = element("div");
  let given = null;

  const again = newest(async (signal) => {
    if (!given) return;
    say(panel.status, `Describing ${given.file.name} …`);
    const answer = await panel.ask(given.blob, { signal, file: given.file });
    if (answer) show(answer);
    else if (panel.error.textContent.includes("look_alikes") && panel.reset("look_alikes")) again(); // a run without
  }, 50);

  function show(answer) {
    const { words = [], weights = [] } = answer.attention ?? {};
    say(panel.status, answer.caption);
    fill(others, captions(answer.captions), alikes(answer.look_alikes));
    look();
    if (!words.length) return fill(sentence, answer.caption);
    const shown = words.slice(0, words.at(-1) === "</s>" ? -1 : undefined);
    fill(sentence, shown.flatMap((word, place) => [place ? " " : null, wordButton(word, weights[place])]),
      element("small", { class: "soft" }, "Point at a word, or tap it, to see where the network looked."));
    return roving(sentence);
  }

  function wordButton(word, weights) {
    const grid = gridOf(weights);
    const show = () => look(grid);
    return element("button", {
      type: "button", class: "word", "data-item": true, "aria-label": `${word}: looked ${grid.place}`,
      pointerenter: show, focus: show, click: show, pointerleave: () => look(), blur: () => look(),
    }, word);
  }

  /** Darken what the network did not look at; nothing without a grid. */
  function look(grid) {
    looked.hidden = !grid;
    if (!grid) return;
    looked.width = grid.width;
    looked.height = grid.height;
    const most = Math.max(...grid.cells);
    const shade = new ImageData(grid.width, grid.height);
    grid.cells.forEach((weight, cell) => { shade.data[4 * cell + 3] = 215 * (1 - weight / most); });
    looked.getContext("2d").putImageData(shade, 0, 0);
  }

  async function take(blob, file) {
    given = { blob, file };
    fill(sentence);
    fill(others);
    look();
    again();
    const pixels = await pixelsOf(blob);
    stage.hidden = !pixels;
    if (!pixels) return;
    const scale = Math.min(1, 640 / Math.max(pixels.width, pixels.height));
    picture.width = Math.round(pixels.width * scale);
    picture.height = Math.round(pixels.height * scale);
    picture.getContext("2d").drawImage(pixels, 0, 0, picture.width, picture.height);
  }

  panel.body.append(
    pictureInput(panel, most, { "Sample: a photographer": "camera.jpg", "Sample: a cat": "cat.jpg" }, take),
    element("div", { class: "seen" }, stage, element("div", {}, sentence, others)));
  say(panel.status, "Give a picture.");
  return panel.root;
}

/** Return the weights of cells, row by row, with the sides of their grid, and in words where most of them are. */
function gridOf(weights) {
  const nested = Array.isArray(weights[0]);
  const cells = weights.flat();
  const height = nested ? weights.length : Math.round(Math.sqrt(cells.length));
  const width = cells.length / height;
  const peak = cells.indexOf(Math.max(...cells));
  const third = (place, size) => Math.min(2, Math.floor(3 * (place + 0.5) / size));
  const place = `${ROWS[third(Math.floor(peak / width), height)]} ${COLUMNS[third(peak % width, width)]}`;
  return { cells, width, height, place: place === "middle centre" ? "at the centre" : `at the ${place}` };
}

/** Return the captions that were found, best first. */
function captions(found) {
  if (!found) return null;
  return [element("h2", {}, "All captions, best first"), element("ol", {}, found.map((one) =>
    element("li", {}, one.caption, element("span", { class: "soft" }, ` score ${one.score.toFixed(2)}${one.agreement == null ? "" : `, agreement ${percent(one.agreement)}`}`))))];
}

/** Return what people wrote of the training pictures that look most alike. */
function alikes(found) {
  if (!found?.length) return null;
  return [element("h2", {}, "Training pictures that look most alike"),
    element("p", { class: "soft" }, "The run keeps what people wrote of them, not the pictures."),
    found.map((one) => element("details", {}, element("summary", {}, one.captions[0], element("span", { class: "soft" }, ` cosine ${one.cosine.toFixed(2)}`)),
      element("ul", {}, one.captions.slice(1).map((text) => element("li", {}, text)))))];
}
