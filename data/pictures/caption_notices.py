"""What is said of pictures and captions that are left out, merged or doubtful."""

import logging
from collections.abc import Iterable, Sequence

from data.pictures.caption_claims import Claim, Found
from data.pictures.caption_json import is_picture_name
from data.pictures.caption_tables import check_lost
from data.pictures.containers import Entry
from data.splits import Example
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


def say_repeated(examples: Sequence[Example], name: str) -> None:
    """Give notice of captions that stand more than once for their picture; `name` is what the data is called."""
    if again := sum(len(one["captions"]) - len({*one["captions"]}) for one in examples):
        LOG.warning("%s: %d captions stand more than once for their picture, and count so often.", name, again)


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
