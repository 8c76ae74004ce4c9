"""Which of several files of captions are used."""

import logging
from collections.abc import Sequence
from pathlib import Path

from data.columns import listed
from data.pictures.caption_claims import Found
from data.pictures.caption_lists import Source
from data.splits import DataError, part_of

LOG = logging.getLogger("tasks")
Findings = list[tuple[Source, Found]]  # files of captions, and what their names mean


def used_sources(found: Findings, place: str) -> Findings:
    """Return the files of captions to use: one, or one for each part or folder.

    Raises:
        DataError: There are several, and nothing tells which to use.
    """
    used = [each for each in found if each[1].claims] or found
    if len(used) < len(found):
        said = listed([Path(source.name).name for source, each in found if not each.claims])
        LOG.warning("%s: not used, since none of their pictures is there: %s.", place, said)
    return trained_sources(unlike_sources(used, place), place)


def unlike_sources(used: Findings, place: str) -> Findings:
    """Return files of captions without those that the names of the others make superfluous.

    Raises:
        DataError: Several are called as no part, and are not one for each folder.
    """
    loose = [each for each in used if not each[0].part]
    if len(used) == 1 or not loose or is_for_each_folder([source for source, _ in used]):
        return used
    said = listed([source.name for source, _ in loose])
    if any(source.part == "train" for source, _ in used):
        LOG.warning("%s: not used beside the named parts: %s.", place, said)
        return [each for each in used if each[0].part]
    if len(loose) > 1:
        raise DataError(f"{place!r} holds more than one file of captions: {said}; give one of them to --data.")
    return used


def is_for_each_folder(sources: Sequence[Source]) -> bool:
    """Return whether files of captions have one name, each in another folder, and no part."""
    names = {Path(source.name).name for source in sources}
    return len(names) == 1 and len({source.base for source in sources}) == len(sources)


def trained_sources(used: Findings, place: str) -> Findings:
    """Return files of captions; the only one that there is counts for training if it is called validation."""
    claims = [claim for _, found in used for claim in found.claims]
    if len(used) > 1 or not claims or any(part_of(claim.split) != "valid" for claim in claims):
        return used
    LOG.warning("%s: the only captions are for validation by their name; they are used for training too.", place)
    source, found = used[0]
    return [(source, found._replace(claims=[claim._replace(split="train") for claim in claims]))]
