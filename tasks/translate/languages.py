"""The languages of a run: named by the user, by a catalogue data set, or found in the user's own files."""

import re
from dataclasses import replace
from pathlib import Path

from data import sources
from data.texts.languages import same_language
from data.texts.pair_sources import likely_pair, path_languages
from tasks.engine.config import SettingError
from tasks.engine.task import table_format
from tasks.translate.config import Config

PAIR = re.compile(r".*?([a-z]{2,3})(?:_to_|-)([a-z]{2,3})")  # the end of a catalogue name


def language_pair(config: Config) -> tuple[str, str]:
    """Return the language to translate from and the one to translate to.

    Without settings they follow from the name of a catalogue data set, or from the user's own files. Joined sets take
    those of the first.

    Raises:
        DataError: The files are in other languages than English and German, and in more than two.
        SettingError: Both are the same, or joined sets differ in theirs.
    """
    if len(places := sources.joined_places(config.data)) > 1:
        pairs = {place: language_pair(replace(config, data=place)) for place in places}
        (first, pair), *others = pairs.items()
        for place, own in others:
            if not (all(map(same_language, own, pair)) or all(map(same_language, own, pair[::-1]))):
                raise SettingError(
                    f"{first!r} is read from {pair[0]!r} to {pair[1]!r}, and {place!r} from {own[0]!r} to {own[1]!r}; "
                    f"name two languages that both have with --source and --target."
                )
        return pair
    named = PAIR.fullmatch(config.data)
    if sources.is_in_catalogue(config.data) and named:
        one, other = named.groups()
        one, other = (other, one) if config.source == other or config.target == one else (one, other)
        pair = config.source or one, config.target or other
    elif config.source and config.target:
        pair = config.source, config.target
    else:
        found = [] if config.data == "builtin" else path_languages(Path(config.data), table_format(config))
        pair = likely_pair(found, config.source, config.target, config.data)
    if pair[0] == pair[1]:
        raise SettingError(f"`source` and `target` are both {pair[0]!r}; give two languages.")
    return pair
