"""Small folders of pictures with captions, and what is read of them."""

import json

import numpy as np
from PIL import Image

from data.pictures.captions import captioned_splits
from data.tables import TableFormat
from tasks.caption.pipeline import FIELDS


def draw(path, level=0):
    """Write a picture of one level."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((12, 16, 3), level, "uint8")).save(path)
    return path


def write(path, text):
    """Write a text, or an object as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text, ensure_ascii=False), encoding="utf-8")
    return path


def lines(path, rows):
    """Write objects as JSON, one a line."""
    return write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read(path, **columns):
    """Return the splits of pictures with captions at a path."""
    return captioned_splits(path, FIELDS, TableFormat(columns), 0.3, 0)


def shown(splits, root):
    """Return the captions of each picture of some splits, by its path below a folder."""
    return {str(each["image"]).removeprefix(f"{root}/"): tuple(each["captions"]) for part in splits for each in part}


def sizes(splits):
    """Return the number of pictures of each split."""
    return [len(part) for part in splits]
