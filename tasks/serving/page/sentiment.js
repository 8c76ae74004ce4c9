// Sentiment: what each word adds to the answer, while it is typed.

import { bars, element, fill, percent, say, signed } from "./dom.js";
import { Panel } from "./panel.js";
import { newest } from "./server.js";

const FIRST = "The plot is thin and the jokes are old, but the actors are wonderful and I enjoyed every minute.";

/** Return the tab. */
export default function sentiment(task) {
  const panel = new Panel(task, { own: { explain: true }, changed: () => again() });
  const text = element("textarea", { id: "review", rows: 4, input: () => again() }, FIRST);
  const label = element("p", { class: "answer" });
  const chances = element("div");
  const words = element("ol", { class: "words" });
  const note = element("p", { class: "soft" });

  const again = newest(async (signal) => {
    if (!text.value.trim()) {
      for (const part of [label, chances, words, note]) fill(part);
      panel.refuse("");
      say(panel.status, "Type a text.");
      return;
    }
    const answer = await panel.ask(text.value, { signal });
    if (answer) show(answer);
  }, 250);

  function show(answer) {
    fill(label, element("b", {}, answer.label), ` ${percent(answer.probability)}`);
    fill(chances, bars(answer.probabilities));
    const found = answer.words ?? [];
    const most = Math.max(0.5, ...found.map(([, weight]) => Math.abs(weight)));
    fill(words, found.map(([word, weight]) => wordItem(word, weight, most)));
    const others = Object.keys(answer.probabilities).filter((name) => name !== answer.label);
    fill(note, found.length ? `A number is what the word adds to the log-odds of “${answer.label}”: with it, less without it. Blue speaks for “${answer.label}”, orange for ${others.length === 1 ? `“${others[0]}”` : "another class"}.` : null);
    const limits = [answer.cut && "The text is longer than what is read of it.", answer.confident === false && "Not sure: most of its words are unknown."];
    say(panel.status, [`Read as ${answer.label}, ${percent(answer.probability)}.`, ...limits.filter(Boolean)].join(" "));
  }

  panel.body.append(
    element("label", { for: "review" }, "Text"), text,
    element("div", { class: "found" }, label, chances), words, note);
  again();
  return panel.root;
}

/** Return a word with its weight, as colour and as number. */
function wordItem(word, weight, most) {
  const item = element("li", { class: weight < 0 ? "against" : "for" }, element("span", {}, word), " ", element("small", {}, signed(weight)));
  item.style.setProperty("--strength", `${Math.round(45 * Math.abs(weight) / most)}%`);
  return item;
}
