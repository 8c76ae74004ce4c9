"""Captions in JSON files that are not tables: of COCO, of Karpathy's splits, and by the name of the picture."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple, TypeGuard

from data.pictures.containers import ENDINGS
from data.text_files import File, read_text
from data.values import Json, value_text


class CaptionRow(NamedTuple):
    """A picture in a file of captions.

    Attributes:
        image: Its name or its path, as the file gives it.
        captions: Its captions, some of which may be empty.
        split: Name of its part; nothing if the file names none.
    """

    image: str
    captions: tuple[str, ...]
    split: str = ""


def json_caption_rows(path: File, encoding: str | None) -> list[CaptionRow] | None:
    """Return the rows of a JSON file of captions, or `None` if it has another form, such as that of a table.

    * COCO: `images` with `file_name`, and `annotations` with `caption`.
    * Karpathy: `images` with `filename`, `split` and `sentences`.
    * Names: each picture with its caption, or with a list of captions.
    """
    try:
        value = json.loads(read_text(path, encoding))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return list(karpathy_rows(value)) if is_karpathy(value) else None
    images, notes = value.get("images") or [], value.get("annotations") or []
    if is_karpathy(images):
        return list(karpathy_rows(images))
    if is_objects(notes) and any("caption" in note for note in notes) and any("image_id" in note for note in notes):
        return list(coco_rows(images if is_objects(images) else [], notes))
    return named_rows(value)


def is_objects(value: Json) -> TypeGuard[list[Json]]:
    """Return whether a value is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def is_karpathy(value: Json) -> bool:
    """Return whether a value is a list of pictures with sentences."""
    return is_objects(value) and "filename" in value[0] and isinstance(value[0].get("sentences"), list)


def coco_rows(images: list[Json], notes: list[Json]) -> Iterator[CaptionRow]:
    """Yield the rows of COCO's form; a picture that `images` does not name is called by its number."""
    names = {str(image.get("id")): image_name(image) for image in images}
    captions: dict[str, list[str]] = {}
    for note in notes:
        if isinstance(note.get("caption"), str):
            captions.setdefault(str(note.get("image_id")), []).append(value_text(note["caption"]))
    for number, found in captions.items():
        yield CaptionRow(names.get(number) or number, tuple(found))


def image_name(image: Mapping[str, Json]) -> str:
    """Return the path of a picture in `images`, which some files give in two parts."""
    name = str(image.get("file_name") or image.get("filename") or image.get("coco_url") or "")
    folder = image.get("filepath")
    return f"{folder}/{name}" if isinstance(folder, str) and folder and name else name


def karpathy_rows(images: list[Json]) -> Iterator[CaptionRow]:
    """Yield the rows of Karpathy's form; the rest of the validation part is for training, as in his paper."""
    for image in images:
        split = str(image.get("split") or "")
        captions = tuple(map(sentence_text, image.get("sentences") or ()))
        yield CaptionRow(image_name(image), captions, split)


def sentence_text(sentence: Json) -> str:
    """Return a sentence of Karpathy's form."""
    if isinstance(sentence, dict):
        raw = sentence.get("raw") or sentence.get("caption") or sentence.get("sentence")
        return value_text(raw if isinstance(raw, str) else sentence.get("tokens") or "")
    return value_text(sentence)


def named_rows(value: Mapping[str, Json]) -> list[CaptionRow] | None:
    """Return the rows of an object whose names are pictures, or `None` if most are not."""
    inner = next((one for one in value.values() if isinstance(one, dict)), {}) if len(value) == 1 else {}
    named = inner or value
    described = all(isinstance(one, dict) and texts_of(one) is not None for one in named.values())
    if not named or (2 * sum(is_picture_name(name) for name in named) < len(named) and not described):
        return None
    rows = [CaptionRow(name, texts) for name, one in named.items() if (texts := texts_of(one)) is not None]
    return rows or None


def texts_of(value: Json) -> tuple[str, ...] | None:
    """Return a text, or a list of texts, as texts; `None` for another value."""
    if isinstance(value, str):
        return (value_text(value),)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(map(value_text, value))
    if isinstance(value, dict):
        return next((found for name in ("captions", "caption") if (found := texts_of(value.get(name)))), None)
    return None


def is_picture_name(name: str) -> bool:
    """Return whether a text is the name of a picture: it ends as one, perhaps with the number of its caption.

    Example:
        >>> is_picture_name("a/b.JPG"), is_picture_name("b.jpg#0"), is_picture_name("A cat.")
        (True, True, False)
    """
    plain = re.sub(r"(?:\.\d+)?#\w+$|\?.*$", "", name.strip())
    return PurePosixPath(plain.replace("\\", "/")).suffix.lower() in ENDINGS
