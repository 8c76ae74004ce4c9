// Upscale: a picture enlarged by the network, against bicubic interpolation.

import { bicubic } from "./bicubic.js";
import { element, fill, say } from "./dom.js";
import { Panel } from "./panel.js";
import { pictureInput, pixelsOf, pngBlob } from "./pictures.js";
import { newest } from "./server.js";

const LARGEST = 8e6; // pixels that this page interpolates by itself

/** Return the tab. */
export default function upscale(task, most) {
  const panel = new Panel(task, { changed: () => again() });
  const view = element("div");
  let given = null;
  let address = null; // of the enlarged picture

  const again = newest(async (signal) => {
    if (!given) return;
    say(panel.status, `Enlarging ${given.file.name} …`);
    const answer = await panel.ask(given.blob, { signal, file: given.file });
    if (!answer) return;
    const pixels = await pixelsOf(given.blob);
    if (address) URL.revokeObjectURL(address);
    address = URL.createObjectURL(pngBlob(answer.image));
    fill(view, compared(answer, pixels, address, given.file.name));
    say(panel.status, `${given.file.name} is now ${answer.width}×${answer.height} pixels.${answer.artefacts ? " It is a JPEG file; this run enlarges its artefacts too." : ""}`);
  }, 50);

  panel.body.append(
    pictureInput(panel, most, { "Sample: a cat": "cat.jpg" }, (blob, file) => {
      given = { blob, file };
      again();
    }), view);
  say(panel.status, "Give a picture.");
  return panel.root;
}

/** Return the picture beside bicubic interpolation, with a slider, a zoom and a link to save it. */
function compared({ width, height }, pixels, address, name) {
  const [before, method] = interpolated(pixels, width, height);
  const after = element("img", { src: address, width, height, alt: "Enlarged by the network", class: "after", draggable: "false" });
  const stack = element("div", { class: "stack" }, before, after, element("div", { class: "edge" }));
  const frame = element("div", { class: "frame", tabindex: 0, role: "region", "aria-label": "Both pictures, one over the other" }, stack);
  const slider = element("input", {
    type: "range", id: "split", min: 0, max: 100, value: 50, disabled: !pixels,
    input: () => split(Number(slider.value)),
  });

  function split(share) {
    stack.style.setProperty("--split", `${share}%`);
    slider.setAttribute("aria-valuetext", `${share} % bicubic, ${100 - share} % network`);
  }

  let drags = false;
  const drag = (event) => {
    const box = stack.getBoundingClientRect();
    slider.value = 100 * (event.clientX - box.left) / box.width;
    split(Number(slider.value));
  };
  stack.addEventListener("pointerdown", (event) => {
    drags = pixels !== null && event.pointerType !== "touch"; // a finger scrolls the picture, and moves the slider
    if (drags) drag(event);
  });
  stack.addEventListener("pointermove", (event) => { if (drags && event.buttons) drag(event); });

  const zoom = (text, factor) => element("label", {},
    element("input", {
      type: "radio", name: "zoom", checked: factor === 0,
      change: () => resize(stack, slider, width, height, factor),
    }), text);
  split(pixels ? 50 : 0);
  resize(stack, slider, width, height, 0);
  return [
    element("div", { class: "split" },
      element("label", { for: "split" }, "Left: ", element("b", {}, method), "; right: ", element("b", {}, "the network")), slider),
    frame,
    element("div", { class: "give" },
      element("fieldset", { class: "zoom" }, element("legend", { class: "hidden" }, "Zoom"), zoom("Fit", 0), zoom("1:1", 1), zoom("3:1", 3)),
      element("a", { class: "button", href: address, download: `${name.replace(/\.[^.]*$/, "")}-${width}x${height}.png` }, "Save as PNG")),
  ];
}

/** Set the size: to fit (at most twice as large), or so many pixels of the screen for each of the picture. */
function resize(stack, slider, width, height, factor) {
  const side = factor ? `${width * factor / devicePixelRatio}px` : `min(100%, ${2 * width}px)`;
  stack.style.width = side;
  slider.style.width = factor ? "" : side;
  stack.classList.toggle("pixels", factor > 1);
  stack.style.aspectRatio = `${width} / ${height}`;
}

/** Return a canvas with the small picture enlarged without a network, and how that was done. */
function interpolated(pixels, width, height) {
  if (!pixels) return [element("canvas", { width, height, "aria-hidden": "true" }), "nothing, as this browser cannot show such a file"];
  const own = width * height <= LARGEST;
  const small = own ? element("canvas", { width: pixels.width, height: pixels.height }) : null;
  const canvas = element("canvas", { width, height, role: "img", "aria-label": "Enlarged without a network" });
  const draw = canvas.getContext("2d");
  if (!own) {
    draw.imageSmoothingQuality = "high";
    draw.drawImage(pixels, 0, 0, width, height);
    return [canvas, "the browser's own smoothing, as it is too large for bicubic here"];
  }
  const source = small.getContext("2d");
  source.drawImage(pixels, 0, 0);
  draw.putImageData(bicubic(source.getImageData(0, 0, pixels.width, pixels.height), width, height), 0, 0);
  return [canvas, "bicubic"];
}
