"""Colours of transparent pictures. NumPy only."""

import numpy as np

NEIGHBOURS = [(row, column) for row in (0, 1, 2) for column in (0, 1, 2) if (row, column) != (1, 1)]


def filled_colours(pixels: np.ndarray, alpha: np.ndarray, reach: int) -> np.ndarray:
    """Return pixels whose hidden colours, those with no opacity, continue those of their neighbours.

    * Each round fills the hidden pixels beside known ones by their mean, weighted by opacity.
    * What is farther than `reach` pixels from a visible one gets the mean of all visible colours.

    Args:
        pixels: `(height, width, channels)`.
        alpha: Opacity `(height, width)`.
    """
    if alpha.all() or not alpha.any():
        return pixels
    colours, weights = (
        np.pad(part, ((1, 1), (1, 1), (0, 0))) for part in (pixels, alpha[:, :, None].astype("float32"))
    )
    known = np.pad(alpha > 0, 1)
    edge = bordering(known)
    for _ in range(reach):
        rows, columns = np.nonzero(edge)
        if not len(rows):
            break
        near = [(rows + row - 1, columns + column - 1) for row, column in NEIGHBOURS]
        shares = np.stack([weights[place] for place in near])  # (neighbours, pixels, 1)
        total = shares.sum(0)
        mean = sum(share * colours[place] for share, place in zip(shares, near, strict=True)) / total
        colours[rows, columns] = np.rint(mean)
        weights[rows, columns] = total / (shares > 0).sum(0)
        known |= edge
        edge = bordering(known)
    inside = known[1:-1, 1:-1]
    share = alpha[:, :, None] / alpha.sum(dtype="float64")
    return np.where(inside[:, :, None], colours[1:-1, 1:-1], np.rint((pixels * share).sum((0, 1)))).astype(pixels.dtype)


def bordering(known: np.ndarray) -> np.ndarray:
    """Return which pixels are not known, but beside a known one; the border of the picture does not count."""
    tall = known.copy()
    tall[1:] |= known[:-1]
    tall[:-1] |= known[1:]
    wide = tall.copy()
    wide[:, 1:] |= tall[:, :-1]
    wide[:, :-1] |= tall[:, 1:]
    wide &= ~known
    wide[0] = wide[-1] = False
    wide[:, 0] = wide[:, -1] = False
    return wide
