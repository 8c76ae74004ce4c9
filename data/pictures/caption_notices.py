"""What is said of pictures and captions that are left out, merged or doubtful."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations

from data.pictures.caption_claims import Claim, Found
from data.pictures.caption_json import is_picture_name
from data.pictures.caption_tables import check_lost
from data.pictures.containers import Entry, content_of, head_of, size_of
from data.splits import Example, Splits
from data.texts.text import has_joined_words

LOG = logging.getLogger("tasks")


def say(what: str, names: Sequence[str]) -> None:
    """Give notice of a number of pictures, if there are any."""
    if names:
        LOG.warning(f"{what}, the first is %r.", len(names), names[0])


def say_lost(found: Found, total: int, name: str) -> None:
    """Give notice of names that mean no picture, or one of several.

    Raises:
        DataError: Too many do.
    """
    check_lost(sorted(set(found.lost)), total, f"named in {name!r} but missing")
    unclear = f"under names in {name!r} that fit several pictures, or one picture twice"
    check_lost(sorted(set(found.unclear)), total, unclear, way="give paths with folders and endings")


def say_other_names(claims: Iterable[Claim]) -> None:
    """Give notice of pictures that have another ending than the file of captions says."""
    other = [claim.image for claim in claims if is_picture_name(claim.image) and not claim.strength[3]]
    say("%d pictures have another ending than the file of captions says", other)


def say_alone(pictures: Iterable[Entry], claims: Iterable[Claim]) -> None:
    """Give notice of pictures without captions."""
    used = {claim.entry.file for claim in claims}
    say(
        "Left out, since they have no caption: %d pictures",
        sorted(one.name for one in pictures if one.file not in used),
    )


def say_joined(examples: Sequence[Example]) -> None:
    """Give notice of captions in a script without spaces, which are scored by character."""
    if has_joined_words([caption for example in examples for caption in example["captions"]]):
        LOG.warning(
            "The captions are in a script without spaces between words: each character counts as a word, for training, "
            "for the length and in all scores."
        )


def say_copies(parts: Splits) -> None:
    """Give notice of pictures that are in two parts as copies."""
    files = [[example["image"] for example in part] for part in parts]
    for key in (size_of, head_of, content_of):  # the next one reads only files that are equal in those before
        counts = Counter(key(file) for part in files for file in part)
        files = [[file for file in part if counts[key(file)] > 1] for part in files]
    found = [{content_of(file): file.name for file in part} for part in files]
    for (one, first), (other, second) in combinations(zip(Splits._fields, found, strict=True), 2):
        if doubled := sorted(second[key] for key in first.keys() & second.keys()):
            LOG.warning(
                "Also in the %s part, as copies: %d pictures of the %s part, the first is %r.",
                one, len(doubled), other, doubled[0],
            )  # fmt: skip
