"""Captions with their pictures: which file each name means, and what is left out."""

import logging
from collections.abc import Iterable, Sequence
from os.path import abspath
from pathlib import Path

from data.pictures.caption_claims import Claim, Found
from data.pictures.caption_lists import Source
from data.pictures.caption_notices import say, say_repeated
from data.pictures.caption_places import COUNT, Places, folder_part, outside_picture, plain_parts
from data.pictures.containers import Entry
from data.pictures.files import File
from data.splits import Example, part_of

LOG = logging.getLogger("tasks")
EMPTY = ("", "nan", "null", "none", "n/a")  # what tables have in place of a caption
KEPT = ("test", "valid", "train")  # part that a picture in several parts is kept for, the first


def source_claims(source: Source, places: Places, folder: Path) -> Found:
    """Return what the names in a file of captions mean.

    Args:
        folder: The folder of the data, for paths that lead out of it.
    """
    found = Found([], [], [])
    for (image, split), captions in grouped_rows(source).items():
        claim = (image, plain_parts(places.named_parts(image)))
        if outside := outside_picture(image, folder.joinpath(*source.base)):
            found.claims.append(
                Claim(*claim, Entry(outside.parts, outside), (len(outside.parts),) * 5, split, captions)
            )
            continue
        matches = places.matches(image, source.base, split, Path(source.name).name)
        if len(matches) == 1:
            found.claims.append(Claim(*claim, *matches[0], split, captions))
        else:
            (found.unclear if matches else found.lost).append(COUNT.sub("", image))
    return found


def grouped_rows(source: Source) -> dict[tuple[str, str], list[str]]:
    """Return the captions of each name and part; the part that the file tells counts for rows without one."""
    found: dict[tuple[str, str], list[str]] = {}
    empty = list[str]()
    for row in source.rows:
        split = row.split.strip().lower() or source.part
        known = found.setdefault((row.image.strip(), "train" if split == "restval" else split), [])
        texts = [text.strip() for text in row.captions if text.strip().lower() not in EMPTY]
        known += texts
        if len(texts) < len(row.captions) or not row.captions:
            empty.append(row.image.strip())
    if empty:
        LOG.warning(
            "%s: %d rows have an empty caption, which is left out; the first is of %r.",
            Path(source.name).name, len(empty), empty[0],
        )  # fmt: skip
    return found


def agreed_claims(found: Found) -> list[Claim]:
    """Return the claims without those of pictures that another name fits better; these are lost, or unclear."""
    by_file: dict[str, list[Claim]] = {}
    for claim in found.claims:
        by_file.setdefault(file_key(claim.entry.file), []).append(claim)
    kept = list[Claim]()
    for claims in by_file.values():
        best = max(claims, key=lambda claim: claim.strength[:3])
        same = [claim for claim in claims if is_same_name(claim, best)]
        other = [claim for claim in claims if not is_same_name(claim, best)]
        tied = [claim for claim in other if claim.strength[:3] == best.strength[:3]]
        found.unclear.extend(claim.image for claim in (*tied, *(same if tied else ())))
        found.lost.extend(claim.image for claim in other if claim not in tied)
        kept += [] if tied else same
    return kept


def file_key(file: File) -> str:
    """Return the path by which a file is known."""
    return abspath(file) if isinstance(file, Path) else str(file)


def is_same_name(one: Claim, other: Claim) -> bool:
    """Return whether two names may mean the same picture: one is the end of the other, and the parts fit as well."""
    short, long = sorted((one.own, other.own), key=len)
    ends = one.strength[0] > 0 < other.strength[0] or long[len(long) - len(short) :] == short
    return ends and (one.split == other.split or one.strength[2] == other.strength[2])


def joined_findings(found: Iterable[Found]) -> Found:
    """Return what the names in several files of captions mean."""
    given = list(found)
    return Found(
        [claim for each in given for claim in each.claims],
        [name for each in given for name in each.lost],
        [name for each in given for name in each.unclear],
    )


def matched_pictures(claims: Sequence[Claim], name: str) -> list[Example]:
    """Return the examples of pictures with captions, sorted by name, each with its `split`.

    A picture in several parts counts for testing, or else for validation, with a notice. If no file of captions tells
    parts, and each picture is in a folder that is called as one, these count.
    """
    folders = {claim.split or folder_part(claim.entry.folders) or "" for claim in claims}
    if not any(claim.split for claim in claims) and {"train"} < folders and "" not in folders:
        LOG.warning("%s: the folders of the pictures tell their parts: %s.", name, ", ".join(sorted(folders)))
        claims = [claim._replace(split=folder_part(claim.entry.folders) or "") for claim in claims]
    by_file: dict[str, dict[str, list[Claim]]] = {}
    for claim in claims:
        by_file.setdefault(file_key(claim.entry.file), {}).setdefault(claim.split, []).append(claim)
    found, several, bare = list[Example](), list[str](), list[str]()
    for parts in by_file.values():
        split = min(parts, key=lambda name: KEPT.index(part_of(name) or "train"))
        image = parts[split][0].entry
        several += [image.name] if len({part_of(name) for name in parts}) > 1 else []
        captions = [text for claim in parts[split] for text in claim.captions]
        if captions:
            found.append({"split": split, "image": image.file, "captions": captions, "parts": image.parts})
        else:
            bare.append(image.name)
    say_repeated(found, name)
    say("%d pictures stand in several parts and count for the last of training, validation and testing", several)
    say("Left out, since their captions are empty: %d pictures", bare)
    found.sort(key=lambda example: (example["image"].name, example["parts"]))
    return [{name: value for name, value in example.items() if name != "parts"} for example in found]
