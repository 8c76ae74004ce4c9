"""Names and numbers that a translation has lost: it is made again with others in their place, which are then put back.

A network that spells an unknown name by sub-words may write another one ("Anna" becomes "Einna"), and a rare number
loses digits. Names and numbers that its training pairs often have on both sides are copied well.

Reference: placeholders of entities, Crego et al., 2016, https://arxiv.org/abs/1610.05540.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from data.texts.word_tables import DECIMAL_COMMA
from tasks.engine.task import Pipeline
from tasks.toolbox.search import Hypothesis
from tasks.translate.clauses import Clause
from tasks.translate.codec import Codec
from tasks.translate.config import Config
from tasks.translate.rerank import best_hypotheses
from tasks.translate.stand_ins import NUMBER, Item, StandIns, digits_of

TRIES = 8  # texts with stand-ins
GAIN = {True: -0.5, False: 0.6}  # least change of the score, by whether all items are names or numbers for sure
EXCHANGED = str.maketrans(".,", ",.")


def lasting_hypotheses(pipeline: Pipeline[Config], clauses: Sequence[Clause]) -> list[list[Hypothesis]]:
    """Return the best translations of parts of sentences, which keep their names and numbers where that is possible."""
    found = best_hypotheses(pipeline, clauses)
    codec: Codec = pipeline.codec
    if codec.stand_ins is None:
        return found
    tries = list[tuple[int, Sequence[Item], tuple[str, ...], Clause]]()
    for place, (clause, (best, *_)) in enumerate(zip(clauses, found, strict=True)):
        items = codec.stand_ins.items(clause.text)
        if lost := lost_items(items, codec.pieces.text(best.tokens)):
            for chosen, others in variants(codec.stand_ins, clause.text, lost, items):
                text = exchanged(clause.text, chosen, others)
                tries.append((place, chosen, others, Clause(text, codec.numbers(text))))
    again = best_hypotheses(pipeline, [clause for *_, clause in tries]) if tries else []
    done = set[int]()
    for (place, chosen, others, _), hypotheses in zip(tries, again, strict=True):
        gain = hypotheses[0].score - found[place][0].score
        if place in done or gain < GAIN[all(item.sure for item in chosen)]:
            continue
        better = [restored(codec, clauses[place], each, chosen, others) for each in hypotheses]
        if better[0]:
            done.add(place)
            found[place] = [*filter(None, better), *found[place]][: len(found[place])]
    return found


def variants(
    stand_ins: StandIns, text: str, lost: Sequence[Item], items: Sequence[Item]
) -> Iterator[tuple[Sequence[Item], tuple[str, ...]]]:
    """Yield names and numbers of a text with others for them: of the lost ones alone, and then of all."""
    for chosen in [lost, items][: 1 + (len(items) > len(lost))]:
        given = (stand_ins.others(text, chosen, number) for number in range(TRIES))
        for others in dict.fromkeys(filter(None, given)):
            yield chosen, others


def missing_texts(codec: Codec, clause: Clause, translation: str) -> list[str]:
    """Return the names and numbers of a part of a sentence that its translation has less often."""
    items = codec.stand_ins.items(clause.text) if codec.stand_ins else []
    return [item.text for item in lost_items(items, translation) if item.sure]


def lost_items(items: Sequence[Item], translation: str) -> list[Item]:
    """Return the items of a text that its translation has less often.

    Example:
        >>> lost_items([Item("7:45", 3), Item("Tom", 9)], "Toms Zug um 7.30 Uhr")
        [Item(text='7:45', start=3, sure=True)]
    """
    numbers = Counter(map(value_of, NUMBER.findall(translation)))
    found = list[Item]()
    for item in items:
        if item.is_number:
            numbers[value_of(item.text)] -= 1
            is_lost = numbers[value_of(item.text)] < 0
        else:
            is_lost = not name_form(item.text).search(translation)
        if is_lost:
            found.append(item)
    return found


def value_of(number: str) -> str:
    """Return a number without the marks between its thousands, and with a bar for each other mark."""
    return re.sub(r"\D", "|", re.sub(r"(?<=\d)[.,](?=\d{3}(?!\d))", "", number))


def name_form(name: str) -> re.Pattern[str]:
    """Return the form of a name, alone or as a genitive."""
    return re.compile(rf"(?<!\w){re.escape(name)}(?=['\u2019]?s?(?!\w))")


def exchanged(text: str, items: Sequence[Item], others: Sequence[str]) -> str:
    """Return a text with others in place of its items.

    Example:
        >>> exchanged("Anna is 31.", [Item("Anna", 0), Item("31", 8)], ["Tom", "30"])
        'Tom is 30.'
    """
    for item, other in sorted(zip(items, others, strict=True), reverse=True, key=lambda pair: pair[0].start):
        text = text[: item.start] + other + text[item.end :]
    return text


def restored(
    codec: Codec, clause: Clause, given: Hypothesis, items: Sequence[Item], others: Sequence[str]
) -> Hypothesis | None:
    """Return a translation with the items of a clause in place of the others, or `None` if it would lack one."""
    source, target = codec.languages
    swaps = (source in DECIMAL_COMMA) != (target in DECIMAL_COMMA)
    text = text_with_items(codec.pieces.text(given.tokens), items, others, swaps)
    if text is None or missing_texts(codec, clause, text):
        return None
    return Hypothesis(codec.tokens(text), given.score)


def text_with_items(text: str, items: Sequence[Item], others: Sequence[str], swaps: bool) -> str | None:
    """Return a text with items in place of others, or `None` if it has not each of these once, or numbers out of order.

    Args:
        swaps: Whether full stops and commas in numbers change places.

    Example:
        >>> text_with_items("Um 2.30 Uhr", [Item("7:45", 3)], ["2:30"], True)
        'Um 7.45 Uhr'
    """
    places = list[tuple[int, int, Item, str]]()
    for item, other in zip(items, others, strict=True):
        if item.is_number:
            found = [one for one in NUMBER.finditer(text) if digits_of(one.group()) == digits_of(other)]
        else:
            found = [*name_form(other).finditer(text)]
        if len(found) != 1:
            return None
        places.append((found[0].start(), found[0].end(), item, other))
    numbers = [start for start, _, item, _ in places if item.is_number]
    if numbers != sorted(numbers):  # which is which is not sure then
        return None
    for start, end, item, other in sorted(places, reverse=True):
        text = text[:start] + written(item.text, other, text[start:end], swaps) + text[end:]
    return text


def written(item: str, other: str, translation: str, swaps: bool) -> str:
    """Return an item with the marks that the translation of its stand-in has.

    Example:
        >>> written("24.50", "300", "300", True)
        '24,50'
    """
    if not item[0].isdigit():
        return item
    marks, theirs = re.sub(r"\d", "", other), re.sub(r"\d", "", translation)
    if marks and len(marks) == len(theirs):
        return item.translate(str.maketrans(marks, theirs))
    return item.translate(EXCHANGED) if swaps else item
