// Elements, and numbers as people read them.

/**
 * Return an element.
 *
 * A function among the attributes listens to the event of that name; `false` and `null` leave an attribute out, `true`
 * gives an empty one. Children are nodes or texts; `null` is left out.
 *
 * Example: element("button", { type: "button", click: clear }, "Clear")
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child != null));
  return made;
}

/** Put children in place of what an element holds. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter((child) => child != null));
}

/** Set the text of a live region, only if it is another one: the same text is not to be read out twice. */
export function say(region, text) {
  if (region.textContent !== text) region.textContent = text;
}

/** Return a share in [0, 1] as a percentage; never 100 % of what is less. */
export function percent(share) {
  const text = (100 * share).toFixed(1);
  if (share < 1 && text === "100.0") return "> 99.9 %";
  return share > 0 && text === "0.0" ? "< 0.1 %" : `${text} %`;
}

/** Return a number with its sign, to two digits; the minus is a minus, not a hyphen. */
export function signed(value) {
  const text = Math.abs(value).toFixed(2);
  return text === "0.00" ? "0.00" : (value < 0 ? "\u2212" : "+") + text;
}

/** Return a table of classes with their probabilities as bars, most probable first if `sorted`. */
export function bars(probabilities, { sorted = false } = {}) {
  const rows = Object.entries(probabilities);
  if (sorted) rows.sort((one, other) => other[1] - one[1]);
  const best = Math.max(...rows.map(([, share]) => share));
  return element("table", { class: "bars" },
    element("caption", { class: "hidden" }, "Probability of each class"),
    element("tbody", {}, rows.map(([name, share]) => {
      const bar = element("div", { class: "bar" });
      bar.style.setProperty("--share", share);
      return element("tr", { class: share === best ? "best" : null },
        element("th", { scope: "row" }, name), element("td", { class: "track" }, bar), element("td", {}, percent(share)));
    })));
}

/**
 * Make one tab stop of a group of elements: arrow keys, Home and End move among them.
 *
 * `reached(item)` is called for the one that gets the focus by a key.
 */
export function roving(group, reached = () => {}) {
  const items = [...group.querySelectorAll("[data-item]")];
  items.forEach((item, place) => { item.tabIndex = place === 0 ? 0 : -1; });
  group.addEventListener("focusin", ({ target }) => {
    if (items.includes(target)) for (const item of items) item.tabIndex = item === target ? 0 : -1;
  });
  group.addEventListener("keydown", (event) => {
    const place = items.indexOf(document.activeElement);
    const steps = { ArrowRight: place + 1, ArrowDown: place + 1, ArrowLeft: place - 1, ArrowUp: place - 1, Home: 0, End: -1 };
    if (place < 0 || !(event.key in steps)) return;
    event.preventDefault();
    const next = items.at(steps[event.key] % items.length);
    next.focus();
    reached(next);
  });
}
