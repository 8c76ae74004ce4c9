// Bicubic interpolation, to compare with: Keys, 1981, https://doi.org/10.1109/TASSP.1981.1163711, with a = -0.5.

/**
 * Return pixels enlarged to a width and a height.
 *
 * Borders are mirrored, and centres of pixels stay where they are, as in MATLAB's `imresize`.
 *
 * @param {ImageData} pixels
 */
export function bicubic(pixels, width, height) {
  const across = taps(pixels.width, width);
  const down = taps(pixels.height, height);
  const wide = new Float32Array(pixels.height * width * 4); // (height, new width, 4)
  for (let row = 0; row < pixels.height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      mix(pixels.data, row * pixels.width * 4, 4, across, column, wide, (row * width + column) * 4);
    }
  }
  const made = new ImageData(width, height); // its bytes round and clip by themselves
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      mix(wide, column * 4, width * 4, down, row, made.data, (row * width + column) * 4);
    }
  }
  return made;
}

/** Write the four channels of one pixel: the weighted sum of four others, `step` apart. */
function mix(from, start, step, { places, weights }, index, to, target) {
  for (let channel = 0; channel < 4; channel += 1) {
    let sum = 0;
    for (let tap = 4 * index; tap < 4 * index + 4; tap += 1) sum += weights[tap] * from[start + places[tap] * step + channel];
    to[target + channel] = sum;
  }
}

/** Return for each new pixel the places of four old ones, and their weights. */
function taps(size, wanted) {
  const places = new Int32Array(4 * wanted);
  const weights = new Float32Array(4 * wanted);
  for (let index = 0; index < wanted; index += 1) {
    const centre = (index + 0.5) * size / wanted - 0.5;
    for (let tap = 0; tap < 4; tap += 1) {
      const place = Math.floor(centre) - 1 + tap;
      places[4 * index + tap] = mirrored(place, size);
      weights[4 * index + tap] = cubic(Math.abs(centre - place));
    }
  }
  return { places, weights };
}

function mirrored(place, size) {
  const turn = ((place % (2 * size)) + 2 * size) % (2 * size);
  return turn < size ? turn : 2 * size - 1 - turn;
}

function cubic(distance) {
  if (distance < 1) return (1.5 * distance - 2.5) * distance ** 2 + 1;
  return distance < 2 ? ((-0.5 * distance + 2.5) * distance - 4) * distance + 2 : 0;
}
