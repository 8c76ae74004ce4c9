// A task without a tab of its own: its input, and its answer as it is.

import { element, fill } from "./dom.js";
import { Panel } from "./panel.js";
import { pictureInput } from "./pictures.js";
import { newest } from "./server.js";

/** Return the tab. */
export default function plain(task, most) {
  const panel = new Panel(task, { changed: () => again() });
  const found = element("code");
  let given = null;

  const again = newest(async (signal) => {
    if (!given?.input) return fill(found);
    const answer = await panel.ask(given.input, { signal, file: given.file });
    return answer && fill(found, JSON.stringify(answer, null, 2));
  }, 300);

  function take(input, file) {
    given = { input, file };
    again();
  }

  const id = `text-${task.task}`;
  const text = element("textarea", { id, rows: 4, input: () => take(text.value) });
  panel.body.append(
    ...(task.accepts === "image" ? [pictureInput(panel, most, {}, take)] : [element("label", { for: id }, "Text"), text]),
    element("pre", { tabindex: 0, role: "region", "aria-label": "Answer" }, found));
  return panel.root;
}
