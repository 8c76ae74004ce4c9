// Feature maps and values of a layer, as a picture.

import { pngAddress } from "./pictures.js";

const TILE = 44; // pixels of a map, at least its own
const GAP = 3;

/** Draw a layer: its maps side by side, or its values as columns. */
export function sheet(canvas, layer) {
  if (layer.values) return columns(canvas, layer.values);
  const image = new Image();
  image.onload = () => maps(canvas, image, layer);
  image.src = pngAddress(layer.image);
  return undefined;
}

/** Draw the maps of a sheet, in as many columns as fit. */
function maps(canvas, image, { width, height, channels, columns: across }) {
  const space = across > 1 ? (image.width - across * width) / (across - 1) : 0; // pixels between maps of the sheet
  const tall = Math.round(TILE * height / width);
  const room = canvas.parentElement.clientWidth || 320;
  const fit = Math.max(1, Math.min(channels, Math.floor((room + GAP) / (TILE + GAP))));
  resize(canvas, fit * (TILE + GAP) - GAP, Math.ceil(channels / fit) * (tall + GAP) - GAP);
  const draw = canvas.getContext("2d");
  draw.imageSmoothingEnabled = false;
  for (let map = 0; map < channels; map += 1) {
    draw.drawImage(image, (map % across) * (width + space), Math.floor(map / across) * (height + space), width, height,
      (map % fit) * (TILE + GAP), Math.floor(map / fit) * (tall + GAP), TILE, tall);
  }
}

/** Draw values as columns from a line at zero. */
function columns(canvas, values) {
  const room = canvas.parentElement.clientWidth || 320;
  const step = Math.max(2, Math.min(24, Math.floor(room / values.length)));
  const tall = 64;
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const scale = tall / (high - low || 1);
  resize(canvas, step * values.length, tall);
  const draw = canvas.getContext("2d");
  draw.fillStyle = getComputedStyle(canvas).color;
  values.forEach((value, place) => {
    draw.fillRect(place * step, (high - Math.max(0, value)) * scale, step - 1, Math.max(1, Math.abs(value) * scale));
  });
}

/** Set the size of a canvas, and clear it. */
function resize(canvas, width, height) {
  canvas.width = width;
  canvas.height = height;
}
