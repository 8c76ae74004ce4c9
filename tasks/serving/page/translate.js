// Translate: the translation, its alternatives, and which word was read for which.

import { element, fill, roving, say } from "./dom.js";
import { Panel } from "./panel.js";
import { newest } from "./server.js";

const FIRST = "Two dogs are running across the grass. A woman reads a book.";
const MARK = "\u2581"; // begins a word, in the sub-words of a vocabulary

/** Return the tab. */
export default function translate(task) {
  const panel = new Panel(task, { own: { alignment: true }, first: { n_best: 3 }, changed: () => again() });
  const text = element("textarea", { id: "source", rows: 5, input: () => again() }, FIRST);
  const output = element("output", { for: "source", id: "target" });
  const doubt = element("span", { class: "doubt", hidden: true }, "not sure");
  const details = element("div");

  const again = newest(async (signal) => {
    if (!text.value.trim()) {
      fill(output);
      fill(details);
      doubt.hidden = true;
      panel.refuse("");
      say(panel.status, "Type a text.");
      return;
    }
    say(panel.status, "Translating …");
    const answer = await panel.ask(text.value, { signal });
    if (answer) show(answer);
    else if (!signal.aborted) say(panel.status, "");
  }, 350);

  function show(answer) {
    say(output, answer.translation);
    doubt.hidden = answer.confident !== false;
    const notes = [answer.confident === false && "Not sure: the text is unlike the validation data, so this is a guess.",
      answer.missing && `Not in the translation: ${answer.missing.join(", ")}.`,
      answer.cut && `Over-long sentences are translated in ${answer.cut} parts.`];
    say(panel.status, notes.filter(Boolean).join(" "));
    fill(details, (answer.sentences ?? []).map(sentenceDetails));
  }

  panel.body.append(
    element("div", { class: "boxes" },
      element("div", {}, element("label", { for: "source" }, "Text"), text),
      element("div", {}, element("label", { for: "target" }, "Translation"), doubt, output)),
    details);
  again();
  return panel.root;
}

/** Return the alternatives and the alignment of a sentence. */
function sentenceDetails({ text, translations = [], alignment }) {
  return element("section", { class: "sentence-details" },
    element("h2", {}, text),
    translations.length > 1 ? element("ol", {}, translations.map((one) =>
      element("li", {}, one.text, element("span", { class: "soft" }, ` score ${one.score.toFixed(2)}`)))) : null,
    alignment ? aligned(alignment) : null);
}

/** Return both sentences in sub-words: pointing at one shows which of the others belong to it. And their matrix. */
function aligned({ source, target, weights }) {
  const rows = { source: source.map(piece), target: target.map(piece) };
  const light = (side, place) => {
    const other = side === "source" ? "target" : "source";
    rows[side].forEach((one, index) => one.classList.toggle("chosen", index === place));
    rows[other].forEach((one, index) => {
      const weight = place === null ? 0 : side === "target" ? weights[place][index] : weights[index][place];
      one.style.setProperty("--strength", `${Math.round(45 * weight)}%`);
    });
  };
  for (const side of ["source", "target"]) {
    rows[side].forEach((one, place) => {
      const shares = side === "target" ? weights[place] : weights.map((row) => row[place]);
      const best = shares.indexOf(Math.max(...shares));
      one.setAttribute("aria-label", `${said(one.textContent)}, most with ${said((side === "target" ? source : target)[best])}`);
      for (const name of ["pointerenter", "focus", "click"]) one.addEventListener(name, () => light(side, place));
      for (const name of ["pointerleave", "blur"]) one.addEventListener(name, () => light(side, null));
    });
  }
  const groups = Object.entries(rows).map(([side, pieces]) => element("p", { class: "pieces", role: "group", "aria-label": `${side} in sub-words` }, pieces));
  groups.forEach((group) => roving(group));
  return [element("div", { class: "aligned" }, groups), matrix(source, target, weights)];
}

/** Return a sub-word as a button; the end of a sentence is a sign. */
function piece(text) {
  const first = text.startsWith(MARK);
  return element("button", { type: "button", class: first ? "piece first" : "piece", "data-item": true }, shown(text));
}

/** Return the attention as a table: a row for each target sub-word, a column for each of the source. */
function matrix(source, target, weights) {
  return element("details", {}, element("summary", {}, "Alignment as a matrix"),
    element("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Alignment as a matrix" },
      element("table", { class: "matrix" },
        element("caption", { class: "soft" }, "In percent: how much the network looked at each word read (columns) for each word written (rows)"),
        element("thead", {}, element("tr", {}, element("td"), source.map((text) => element("th", { scope: "col" }, shown(text))))),
        element("tbody", {}, target.map((text, row) => element("tr", {}, element("th", { scope: "row" }, shown(text)),
          weights[row].map((weight) => {
            const cell = element("td", {}, String(Math.round(100 * weight)));
            cell.style.setProperty("--strength", `${Math.round(45 * weight)}%`);
            return cell;
          })))))));
}

const shown = (text) => (text === "</s>" ? "\u23ce" : text.replaceAll(MARK, ""));
const said = (text) => (["\u23ce", "</s>"].includes(text) ? "end of sentence" : text.replaceAll(MARK, ""));
