"""Photos to enlarge as people have them: high resolution alone, or beside its low resolution, in parts or not."""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from data.columns import listed
from data.pictures.containers import file_tree, used_entries
from data.pictures.decoding import open_picture
from data.pictures.files import SUFFIXES, File
from data.pictures.photo_places import Place, described_places, kind_of, plain_words
from data.sources import is_part_name, joined_places
from data.splits import DataError, part_of

LOG = logging.getLogger("tasks")
MADE = re.compile(r"bicubic|^div2k|^flickr2k", re.IGNORECASE)  # folders whose low resolution is made here
TURNED = (5, 6, 7, 8)  # orientations of EXIF that exchange the sides


class PhotoPair(NamedTuple):
    """A picture of high resolution, and the user's own of low resolution."""

    truth: File
    small: File


Photo = File | PhotoPair


class PhotoParts(NamedTuple):
    """Pictures by part; all are for training unless folders tell several parts."""

    train: list[Photo]
    valid: list[Photo]
    test: list[Photo]


def own_photos(places: str, scale: int) -> list[PhotoParts]:
    """Return the pictures in each of some folders and zips.

    Args:
        places: Folders, zips or single pictures; several are joined with commas, and may be called as parts.
        scale: As for `photo_parts`.

    Raises:
        FileNotFoundError, DataError: As for `photo_parts`.
    """
    paths = [Path(place) for place in joined_places(places)]
    found = list[PhotoParts]()
    for path, part in zip(paths, several_parts(paths), strict=True):
        parts = photo_parts(path, scale)
        if part:
            whole = [photo for own in parts for photo in own]
            parts = PhotoParts(*(whole if name == part else [] for name in PhotoParts._fields))
        found.append(parts)
    return found


def photo_parts(place: Path, scale: int) -> PhotoParts:
    """Return the pictures of a folder or a zip by part.

    * Folders or names with `HR` and `LR`, `GT` and `LQ`, or folders `high` and `low`, tell the resolution. Low
      resolution is never the truth.
    * Where low resolution is the user's own, pictures are pairs; bicubic copies, as DIV2K has them, are not used.
    * A copy called as another picture with `x2` or the like is not used.
    * Folders tell parts, such as `DIV2K_valid_HR` or `test`, if there are several.

    Args:
        place: A folder, a zip or a picture.
        scale: How many times as large the sides of the truth are.

    Raises:
        FileNotFoundError: There is no such place.
        DataError: It holds no pictures of high resolution, or its pairs do not fit.
    """
    name = place.resolve().name
    entries = [entry for entry in used_entries(file_tree(place), name) if entry.is_picture]
    if not entries:
        raise DataError(f"{str(place)!r} holds no pictures; they end in {' '.join(SUFFIXES)}.")
    if place.is_file() and len(entries) == 1 and entries[0].file == place:
        return PhotoParts([place], [], [])
    places = described_places(entries, name)
    high, low = truths(places, scale, name), usable_lows([one for one in places if one.kind == "low"], scale, name)
    found = paired_photos(high, low, scale, name) if low else [(one.part, one.entry.file) for one in high]
    if len({part for part, _ in found if part}) < 2:
        return PhotoParts([photo for _, photo in found], [], [])
    return PhotoParts(
        *([photo for part, photo in found if (part or "train") == wanted] for wanted in PhotoParts._fields)
    )


def truths(places: Sequence[Place], scale: int, name: str) -> list[Place]:
    """Return the pictures of high resolution, each in one size, with a notice of its copies in other sizes.

    Raises:
        DataError: There are none.
    """
    high, rest = ([one for one in places if one.kind == kind] for kind in ("high", ""))
    found = high or rest
    if not any(one.kind == "low" for one in places):
        found = list(places)
    elif high and rest:
        LOG.warning("%s: %d pictures beside those of high resolution are not used.", name, len(rest))
    if not found:
        raise DataError(
            f"{name!r} holds pictures of low resolution alone, by their names; give those of high resolution too."
        )
    sizes: dict[str, set[int]] = {}
    for one in found:
        sizes.setdefault(one.key, set()).add(one.scale)
    best = {key: scale if high and scale in own and 0 not in own else min(own) for key, own in sizes.items()}
    kept = [one for one in found if one.scale == best[one.key]]
    if len(kept) < len(found):
        copy = next(one for one in found if one.scale != best[one.key])
        LOG.warning(
            "%s: %d pictures are named as copies of others in another size and are not used, such as %s.",
            name, len(found) - len(kept), copy.entry.inside,
        )  # fmt: skip
    return kept if high else without_reductions(kept, name)


def without_reductions(places: Sequence[Place], name: str) -> list[Place]:
    """Return places without pictures that are a half, a third or a quarter of others of the same name, with a notice.

    This counts only if all pictures of the same name, in different folders, are such.
    """
    groups: dict[str, list[Place]] = {}
    for one in places:
        groups.setdefault(one.entry.inside.stem.lower(), []).append(one)
    several = [group for group in groups.values() if len({one.entry.folders for one in group}) > 1]
    small = [reductions(group) for group in several]
    if not small or not all(small):
        return list(places)
    left_out = {one.entry.inside for group in small for one in group}
    LOG.warning(
        "%s: %d pictures are not used, since each is a half, a third or a quarter of another of its name, such as %s.",
        name, len(left_out), small[0][0].entry.inside,
    )  # fmt: skip
    return [one for one in places if one.entry.inside not in left_out]


def reductions(places: Sequence[Place]) -> list[Place]:
    """Return the pictures whose sides are a half, a third or a quarter of those of another; none if one is damaged."""
    try:
        sizes = [picture_size(one.entry.file) for one in places]
    except DataError:
        return []
    large = {(width / scale, height / scale) for width, height in sizes for scale in (2, 3, 4)}
    return [one for one, size in zip(places, sizes, strict=True) if size in large]


def usable_lows(places: Sequence[Place], scale: int, name: str) -> list[Place]:
    """Return the user's own pictures of low resolution for a scale, with a notice of the others."""
    made = [one for one in places if any(MADE.search(folder) for folder in (*one.entry.folders, name))]
    other = [one for one in places if one not in made and one.scale not in (0, scale)]
    for found, why in (
        (made, "they are made here by bicubic interpolation"),
        (other, f"they are of another scale than x{scale}"),
    ):
        if found:
            said = listed(sorted({"/".join(one.entry.folders) or one.entry.name for one in found}))
            LOG.warning("%s: %d pictures of low resolution are not used, since %s: %s.", name, len(found), why, said)
    own = [one for one in places if one.scale in (0, scale) and one not in made]
    if other and not own:
        LOG.warning(
            "%s: no picture of low resolution is for x%d; they are made here by bicubic interpolation.", name, scale
        )
    return own


def paired_photos(high: Sequence[Place], low: Sequence[Place], scale: int, name: str) -> list[tuple[str, Photo]]:
    """Return the pairs, each with its part; few pictures that do not fit are left out, with a notice.

    Raises:
        DataError: More than one in a hundred do not fit, or a picture has several of low resolution.
    """
    partners = {one.key: one for one in low}
    if len(partners) < len(low):
        key = Counter(one.key for one in low).most_common(1)[0][0]
        copies = [str(one.entry.file) for one in low if one.key == key]
        raise DataError(
            f"{copies[0]!r} and {copies[1]!r} are of low resolution and stand for the same picture; keep one of them."
        )
    found, wrong = list[tuple[str, Photo]](), list[str]()
    for one in high:
        partner = partners.pop(one.key, None)
        said = (
            size_error(one.entry.file, partner.entry.file, scale) if partner else f"{one.entry.inside} has no partner"
        )
        if said or partner is None:
            wrong.append(said)
        else:
            found.append((one.part or partner.part, PhotoPair(one.entry.file, partner.entry.file)))
    wrong += [f"{one.entry.inside} has no partner" for one in partners.values()]
    total = len(found) + len(wrong)
    if len(wrong) > max(total // 100, total >= 20):
        raise DataError(
            f"{name!r}: {len(wrong)} of {total} pictures of high and low resolution do not fit: {wrong[0]}. Give both "
            f"of a pair the same name, such as HR/a.png and LR/a.png, and sides x{scale}, or another --scale."
        )
    if wrong:
        LOG.warning("%s: %d of %d pictures are left out, the first: %s.", name, len(wrong), total, wrong[0])
    LOG.warning("%s: %d pairs of high and low resolution are used as they are.", name, len(found))
    return found


def size_error(truth: File, small: File, scale: int) -> str:
    """Return what is wrong with the sizes of a pair; nothing if one is exactly so many times the other."""
    try:
        (width, height), (w, h) = picture_size(truth), picture_size(small)
    except DataError as error:
        return str(error).rstrip(".")
    if (width, height) == (w * scale, h * scale):
        return ""
    ratio = width / w
    way = f"; give --scale {ratio:.0f}" if ratio in (2, 3, 4) and height == h * ratio else ""
    sizes = f"{str(small)!r} has {w}x{h} pixels and {str(truth)!r} {width}x{height}"
    return f"{sizes}, which is not exactly {scale} times each side{way}"


def picture_size(file: File) -> tuple[int, int]:
    """Return the width and the height of a picture, from the head of its file."""
    with open_picture(file, float("inf")) as image:
        turned = image.getexif().get(0x0112, 1) in TURNED
        return (image.height, image.width) if turned else (image.width, image.height)


def several_parts(places: Iterable[Path]) -> list[str]:
    """Return the part that the name of each place tells, if they tell several; otherwise nothing for each."""
    names = [place.resolve().name.removesuffix(".zip") for place in places]
    told = [part_of(name) or "" if is_part_name(name) or kind_of({*plain_words(name)}) else "" for name in names]
    return told if len({*filter(None, told)}) > 1 else [""] * len(names)
