// What all tabs share: facts of the run, settings, errors, times, and the request as lines to copy.

import { element, fill, say } from "./dom.js";
import { ask, lines, served } from "./server.js";

const UNITS = { // how a score is written: factor, digits, unit
  accuracy: [100, 2, " %"], psnr: [1, 2, " dB"], bleu: [1, 1, ""], chrf: [1, 1, ""], cider: [1, 1, ""],
};

export class Panel {
  /**
   * @param task What `v1/tasks` says of it.
   * @param own Settings that the tab always sends where the task has them, such as `{ explain: true }`.
   * @param first Values that settings have at first, where they are not the default.
   * @param changed Called when the user changes a setting.
   */
  constructor(task, { own = {}, first = {}, changed = () => {} } = {}) {
    const has = (name) => task.settings.some((setting) => setting.name === name);
    this.task = task;
    this.own = Object.fromEntries(Object.entries(own).filter(([name]) => has(name)));
    this.controls = task.settings.filter(({ name }) => !(name in own)).map((setting) => control(setting, first[setting.name], changed));
    this.error = element("p", { class: "error", role: "alert" });
    this.status = element("p", { class: "status soft", "aria-live": "polite" });
    this.time = element("span", {}, "not asked yet");
    this.answering = task.run.name;
    this.facts = element("dl", { class: "facts" }, facts(task, task.run, this.time));
    this.body = element("div", { class: "body" });
    this.code = { curl: codeLine("curl"), python: codeLine("Python") };
    this.root = element("section", { class: "panel" },
      element("p", { class: "summary" }, task.summary), this.body, this.error, this.status,
      this.controls.length ? element("details", { class: "settings" }, element("summary", {}, "Settings"),
        element("div", { class: "controls" }, this.controls.map((one) => one.root))) : null,
      this.facts,
      element("details", { class: "code" }, element("summary", {}, "The same from a shell or Python"),
        this.code.curl.root, this.code.python.root));
  }

  /** Return the settings to send: those of the tab, and those that the user made other than the default. */
  settings() {
    const chosen = this.controls.map((one) => [one.name, one.value()]).filter(([, value]) => value !== undefined);
    return { ...this.own, ...Object.fromEntries(chosen) };
  }

  /**
   * Return the answer to one input, or `null` where there is none: an error stands in its place, or a newer request
   * took over.
   *
   * @param file Of a picture: its `name`, and its `address` if the server has it.
   */
  async ask(input, { signal, file } = {}) {
    const settings = this.settings();
    this.show(input, settings, file && { kind: input.type || "application/octet-stream", ...file });
    this.root.setAttribute("aria-busy", "true");
    const begun = performance.now();
    try {
      const found = await ask(this.task.task, input, settings, signal);
      if (signal?.aborted) return null;
      const [answer] = found.answers;
      if (answer.error) throw new Error(answer.error);
      say(this.time, `${found.milliseconds.toFixed(1)} ms in the server, ${(performance.now() - begun).toFixed(0)} ms in all`);
      this.refuse("");
      this.showRun(found.run, answer.run ?? found.run);
      return answer;
    } catch (error) {
      if (error.name !== "AbortError") this.refuse(error.message);
      return null;
    } finally {
      this.root.removeAttribute("aria-busy");
    }
  }

  /** Set a setting back to its default; false if it was. */
  reset(name) {
    const one = this.controls.find((each) => each.name === name);
    if (one?.value() === undefined) return false;
    one.reset();
    return true;
  }

  /** Show an error in place, or none. */
  refuse(message) {
    say(this.error, message);
  }

  /** Show the facts of the run that answered; the server is asked for those of one that has taken over. */
  async showRun(main, answering) {
    if (this.answering === answering) return;
    this.answering = answering;
    if (main !== this.task.run.name || !runNamed(this.task, answering)) {
      try {
        this.task = (await served()).tasks.find(({ task }) => task === this.task.task) ?? this.task;
      } catch { // the answer is there all the same
      }
    }
    if (this.answering !== answering) return; // another run answered meanwhile
    fill(this.facts, facts(this.task, runNamed(this.task, answering) ?? { name: answering }, this.time));
  }

  show(input, settings, file) {
    const made = lines(this.task.task, input, settings, file);
    say(this.code.curl.text, made.curl);
    say(this.code.python.text, made.python);
  }
}

/** Return what the server says of a run that answers, or may answer in its place. */
function runNamed({ run, alternates }, name) {
  return [run, ...alternates].find((one) => one.name === name);
}

/** Return the facts of a run that answers: what it learnt from, how good it is, what it is not good for. */
function facts(task, run, time) {
  const rows = [
    ["Run", run.name === task.run.name ? run.name : `${run.name}, in place of ${task.run.name}`],
    ["Data", run.data ?? "unknown"],
    ["Score", run.score ? scoreText(run) : "The run has no score."],
    ["Limits", task.limits],
    ["Time", time],
  ];
  if (task.others.length) rows.splice(1, 0, ["Other runs", `${task.others.join(", ")}: serve --run ${task.task}=${task.others[0]}`]);
  return rows.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
}

/** Return a score with its interval, such as `accuracy 99.62 % (95 % interval 99.48 to 99.72), 10,000 test examples`. */
function scoreText({ score, examples }) {
  const [factor, digits, unit] = UNITS[score.name] ?? [1, 4, ""];
  const text = (value) => (factor * value).toFixed(digits);
  const interval = score.low == null ? "" : ` (95 % interval ${text(score.low)} to ${text(score.high)})`;
  const count = examples == null ? "" : `, on ${examples.toLocaleString("en")} test examples`;
  return `${score.name.replaceAll("_", " ")} ${text(score.value)}${unit}${interval}${count}`;
}

/** Return the control of a setting: its name, element and value, `undefined` where that is the default. */
function control(setting, first, changed) {
  const id = `${setting.name}-${Math.random().toString(36).slice(2, 8)}`;
  const value = first ?? setting.default;
  const input = field(setting, value, { id, "aria-describedby": `${id}-help`, change: changed });
  const label = element("label", { for: id }, setting.name.replaceAll("_", " "));
  const help = element("p", { class: "soft", id: `${id}-help` }, setting.help);
  return {
    name: setting.name,
    root: element("div", { class: setting.type === "boolean" ? "control check" : "control" }, label, input, help),
    reset() {
      input.value = setting.default;
    },
    value() {
      if (setting.type === "boolean") return input.checked === setting.default ? undefined : input.checked;
      if (input.value === "" || input.value === String(setting.default)) return undefined;
      if (setting.type === "choice") return setting.choices.find((choice) => String(choice) === input.value);
      return setting.type === "string" ? input.value : Number(input.value);
    },
  };
}

function field(setting, value, shared) {
  if (setting.type === "boolean") return element("input", { type: "checkbox", checked: value === true, ...shared });
  if (setting.type === "string") return element("input", { type: "text", value, ...shared });
  if (setting.type === "choice") {
    const chosen = (choice) => element("option", { selected: choice === value, value: String(choice) }, String(choice));
    return element("select", shared, setting.choices.map(chosen));
  }
  const step = setting.type === "integer" ? 1 : "any";
  return element("input", { type: "number", min: setting.low, max: setting.high, step, value, ...shared });
}

/** Return a line of code with a button that copies it. */
function codeLine(name) {
  const text = element("code", {}, "Give an input first.");
  const done = element("span", { role: "status", class: "soft" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      say(done, "Copied.");
    } catch { // no clipboard outside https and this machine
      getSelection().selectAllChildren(text);
      say(done, "Selected: press Ctrl+C.");
    }
    setTimeout(() => say(done, ""), 3000);
  };
  return {
    text,
    root: element("div", { class: "line" }, element("pre", { tabindex: 0, role: "region", "aria-label": `${name} line` }, text),
      element("button", { type: "button", click: copy }, `Copy ${name}`), done),
  };
}
