// A sheet of paper to draw on, with a mouse, a finger, a pen or the keyboard.

import { element, say } from "./dom.js";

const SIDE = 280; // pixels: 28 cells of 10
const CELL = 10;
const STROKE = 22;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Return a sheet; `changed()` is called for each stroke, also while it is drawn. */
export function drawing(changed) {
  const canvas = element("canvas", { width: SIDE, height: SIDE });
  const pen = element("div", { class: "pen", hidden: true });
  const said = element("p", { class: "soft", role: "status" });
  const help = element("p", { class: "soft", id: "drawing-help" },
    "Draw with a mouse or a finger. Keyboard: arrow keys move the pen (with Shift by four), Space puts it down or lifts it, Delete clears.");
  const paper = element("div", { class: "paper", tabindex: 0, role: "application", "aria-label": "Sheet to draw a digit on", "aria-describedby": "drawing-help" }, canvas, pen);
  const ink = canvas.getContext("2d");
  const keys = { x: SIDE / 2, y: SIDE / 4, down: false };
  let last = null; // where the pointer was, while it draws
  let empty = true;
  let foreign = false; // whether a file is shown

  function clear() {
    ink.fillStyle = "#fff";
    ink.fillRect(0, 0, SIDE, SIDE);
    empty = true;
    foreign = false;
    keys.down = false;
    movePen();
  }

  function line(from, to) {
    if (foreign) clear();
    ink.strokeStyle = "#000";
    ink.lineWidth = STROKE;
    ink.lineCap = ink.lineJoin = "round";
    ink.beginPath();
    ink.moveTo(from.x, from.y);
    ink.lineTo(to.x + 0.01, to.y); // a line of no length is a dot
    ink.stroke();
    empty = false;
    changed();
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) * SIDE / box.width, y: (event.clientY - box.top) * SIDE / box.height };
  }

  function movePen() {
    pen.style.left = `${100 * keys.x / SIDE}%`;
    pen.style.top = `${100 * keys.y / SIDE}%`;
    pen.classList.toggle("down", keys.down);
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen.hidden = true;
    last = place(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) {
      const next = place(one);
      line(last, next);
      last = next;
    }
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { last = null; });

  paper.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in STEPS) {
      const [right, down] = STEPS[event.key].map((step) => step * CELL * (event.shiftKey ? 4 : 1));
      const before = { ...keys };
      keys.x = Math.min(SIDE - CELL, Math.max(CELL, keys.x + right));
      keys.y = Math.min(SIDE - CELL, Math.max(CELL, keys.y + down));
      if (keys.down) line(before, keys);
    } else if (event.key === " ") {
      keys.down = !keys.down;
      if (keys.down) line(keys, keys);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      clear();
      changed();
    } else {
      return;
    }
    event.preventDefault();
    pen.hidden = false;
    movePen();
    say(said, `Pen ${keys.down ? "down" : "up"}, column ${keys.x / CELL}, row ${keys.y / CELL} of 28.`);
  });
  paper.addEventListener("blur", () => { pen.hidden = true; });

  clear();
  return {
    root: element("div", {}, paper, help, said),
    clear,
    isEmpty: () => empty,
    /** Return the drawing as PNG. */
    picture: () => new Promise((resolve) => canvas.toBlob(resolve)),
    /** Show a file in place of the drawing; the next stroke begins anew. */
    show(pixels) {
      clear();
      foreign = true;
      empty = false;
      if (!pixels) return;
      const scale = Math.min(SIDE / pixels.width, SIDE / pixels.height);
      const [width, height] = [pixels.width * scale, pixels.height * scale];
      ink.drawImage(pixels, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
    },
    /** Save the drawing as a file. */
    save(name) {
      canvas.toBlob((blob) => {
        const address = URL.createObjectURL(blob);
        element("a", { href: address, download: name }).click();
        setTimeout(() => URL.revokeObjectURL(address), 1000);
      });
    },
  };
}
