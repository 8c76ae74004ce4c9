"""The ground of a page: its light and colour where there is no ink. NumPy and Pillow only."""

import numpy as np
from PIL import Image

SIDE = 32  # larger side of the reduced picture
WINDOW = 23  # of the median, on the reduced picture
DEGREE = 4  # of the surface of the light


def resized(levels: np.ndarray, shape: tuple[int, int], way: Image.Resampling) -> np.ndarray:
    """Return levels `(height, width, channels)` in another size, float32."""
    size = (shape[1], shape[0])
    planes = [Image.fromarray(np.ascontiguousarray(plane, "float32")) for plane in np.moveaxis(levels, 2, 0)]
    return np.stack([np.asarray(plane.resize(size, way)) for plane in planes], 2)


def reduced(page: np.ndarray) -> np.ndarray:
    """Return a page in a size of at most `SIDE` pixels, to see its light."""
    scale = SIDE / max(page.shape[:2])
    shape = (max(round(page.shape[0] * scale), 4), max(round(page.shape[1] * scale), 4))
    return resized(page, shape, Image.Resampling.BOX)


def smooth_surface(levels: np.ndarray) -> np.ndarray:
    """Return the polynomial surface through most of the levels `(height, width, channels)`, in the same shape."""
    height, width, channels = levels.shape
    down, right = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].reshape(2, -1)
    terms = np.stack([down**i * right**j for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)], 1)
    flat = levels.reshape(-1, channels)
    is_rim = np.maximum(abs(down), abs(right)) > 0.75  # mostly ground
    surface = np.broadcast_to(np.median(flat[is_rim], 0), flat.shape)
    for _ in range(8):
        away = np.abs(flat - surface).max(1)
        spread = max(float(np.median(away)) * 3, 4.0)
        weighted = terms * np.clip(1 - (away / (2 * spread)) ** 2, 0.001, 1)[:, None]
        normal, target = (
            1e-6 * len(flat) * np.eye(terms.shape[1]) + np.einsum("ni,nj->ij", weighted, terms),
            np.einsum("ni,nc->ic", weighted, flat),
        )
        surface = np.einsum("ni,ic->nc", terms, np.linalg.solve(normal, target))  # small: threads would slow it down
    return surface.reshape(levels.shape)


def wide_median(levels: np.ndarray) -> np.ndarray:
    """Return the median of the levels about each pixel, in the same shape."""
    half = WINDOW // 2
    padded = np.pad(levels, ((half, half), (half, half), (0, 0)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (WINDOW, WINDOW), (0, 1))[..., ::2, ::2]
    return np.median(windows.reshape(*levels.shape, -1), 3)


def opened(levels: np.ndarray, size: int) -> np.ndarray:
    """Return levels `(height, width)` without what is brighter than its surroundings and narrower than `size` pixels.

    Straight edges stay where they are.

    Example:
        >>> opened(np.array([[1, 5, 1, 7, 7, 7]]), 3).tolist()
        [[1, 1, 1, 7, 7, 7]]
    """
    least = least_of_windows(np.pad(levels, size, mode="edge"), size)
    return -least_of_windows(-least[::-1, ::-1], size)[::-1, ::-1][size:-size, size:-size]


def least_of_windows(levels: np.ndarray, size: int) -> np.ndarray:
    """Return the least level of the square of `size` pixels about each pixel, by doubling."""
    for axis in (0, 1):
        span = min(size, levels.shape[axis])
        wide = np.pad(levels, [((span - 1) // 2, span // 2) if axis == one else (0, 0) for one in (0, 1)], mode="edge")
        wide, reach = np.moveaxis(wide, axis, 0), 1
        while reach < span:
            step = min(reach, span - reach)
            wide = np.minimum(wide[:-step], wide[step:])
            reach += step
        levels = np.moveaxis(wide, 0, axis)
    return levels
