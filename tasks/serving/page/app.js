// The page: a tab for each task that is served.

import { element, fill, roving } from "./dom.js";
import { served, useToken } from "./server.js";

const TABS = { // of tasks that have a tab of their own, in order, with its module; others have a plain one
  mnist: ["Digits", "./digits.js"],
  upscale: ["Upscale", "./upscale.js"],
  sentiment: ["Sentiment", "./sentiment.js"],
  caption: ["Caption", "./caption.js"],
  translate: ["Translate", "./translate.js"],
};
const panels = document.getElementById("panels");
const bar = document.getElementById("tabs");

/** Make the tabs. A tab makes its panel when it is first shown. */
function build({ tasks, max_bytes: most }) {
  const order = Object.keys(TABS);
  const place = ({ task }) => (order.indexOf(task) + order.length + 1) % (order.length + 1);
  const shown = [...tasks].sort((one, other) => place(one) - place(other)).map((task) => {
    const [title, module] = TABS[task.task] ?? [task.task, "./plain.js"];
    const panel = element("div", { role: "tabpanel", id: `panel-${task.task}`, "aria-labelledby": `tab-${task.task}`, tabindex: 0, hidden: true });
    const tab = element("button", {
      type: "button", role: "tab", id: `tab-${task.task}`, "aria-controls": panel.id, "data-item": true,
      click: () => { history.replaceState(null, "", `#${task.task}`); show(task.task); },
    }, title);
    const open = async () => {
      try {
        const { default: make } = await import(module);
        fill(panel, make(task, most));
      } catch (error) {
        fill(panel, element("p", { class: "error", role: "alert" }, `This tab cannot be shown: ${error.message}`));
      }
    };
    return { name: task.task, tab, panel, open };
  });

  function show(name) {
    for (const one of shown) {
      const isShown = one.name === name;
      one.tab.setAttribute("aria-selected", isShown);
      one.tab.tabIndex = isShown ? 0 : -1;
      one.panel.hidden = !isShown;
      if (isShown && !one.panel.hasChildNodes()) {
        fill(one.panel, element("p", { role: "status" }, "Loading …"));
        one.open();
      }
    }
  }

  const wanted = () => shown.find((one) => one.name === location.hash.slice(1))?.name ?? shown[0]?.name;
  fill(bar, shown.map((one) => one.tab));
  fill(panels, shown.length ? shown.map((one) => one.panel) : element("p", {}, "This server serves no task."));
  roving(bar, (tab) => tab.click());
  addEventListener("hashchange", () => show(wanted()));
  show(wanted());
}

/** Ask for the token of the server, and begin anew with it. */
function askForToken(message) {
  const input = element("input", { type: "password", id: "token", autocomplete: "off", required: true });
  const submit = (event) => {
    event.preventDefault();
    useToken(input.value);
    begin();
  };
  fill(panels, element("form", { class: "give", submit }, element("label", { for: "token" }, "Token of this server"), input,
    element("button", {}, "Go on"), element("p", { class: "error", role: "alert" }, message)));
}

async function begin() {
  try {
    build(await served());
  } catch (error) {
    if (error.code === 401) askForToken(error.message);
    else fill(panels, element("p", { class: "error", role: "alert" }, error.message ?? String(error)),
      element("button", { type: "button", click: begin }, "Try again"));
  }
}

for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault()); // no leaving by a drop
begin();
