"""What training pairs show of names and numbers, and which of them can stand in for others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from data.splits import Example
from data.texts.text import clean_text
from tasks.engine.config import JsonObject
from tasks.engine.fields import checked_fields

WORD = re.compile(r"[^\W\d_]{2,}")
NUMBER = re.compile(r"(?<![^\W\d])\d+(?:[.,:/ \-]\d+)*(?![^\W\d])")
ITEM = re.compile(rf"{WORD.pattern}|{NUMBER.pattern}")
OFTEN = 20  # pairs that a name which stands in for others is in; for a number, half of them
COPIED = 0.5  # least share of the pairs with an item in the source that have it in the translation, too
ALONE = 0.3  # largest share of them in which another name follows, as "York" follows "New"
COUNT = 12  # names, and numbers, that stand in for others
LONGEST = 10  # letters of an unknown word that may be a name
FORM = {"names": dict[str, dict[str, int]], "numbers": list[str], "kept": str, "known": str, "capital": bool}


class Item(NamedTuple):
    """A name or number in a text.

    Attributes:
        sure: Whether it is one for sure; a word that only may be a name is not.
    """

    text: str
    start: int
    sure: bool = True

    @property
    def end(self) -> int:
        """Where the text goes on."""
        return self.start + len(self.text)

    @property
    def is_number(self) -> bool:
        """Whether it is a number, and no name."""
        return self.text[0].isdigit()


class StandIns(NamedTuple):
    """What training pairs show of names and numbers.

    Attributes:
        names: Names that stand in for others, the most frequent first, and how often each follows which words.
        numbers: Numbers that do, the most often copied first.
        kept: Words with a capital that most translations of their sources have, too.
        known: Other words of the sources, in small letters, but for long ones.
        capital: Whether an unknown word with a capital inside a sentence is a name, as in English.

    Example:
        >>> pairs = [{"text": "I saw Tom.", "translation": "Ich sah Tom."}]
        >>> [item.text for item in StandIns.learn(pairs).items("I saw Tom, 7.")]
        ['Tom', '7']
    """

    names: dict[str, dict[str, int]]
    numbers: list[str]
    kept: frozenset[str]
    known: frozenset[str]
    capital: bool

    @classmethod
    def learn(cls, examples: Iterable[Example]) -> Self:
        """Return what pairs show."""
        small, before = set[str](), dict[str, Counter[str]]()
        copied, followed, digits, same = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
        for example in examples:
            source, target = clean_text(example["text"]), clean_text(example["translation"])
            there = {*WORD.findall(target)}
            for word in WORD.finditer(source):
                text, after = word.group(), source[word.end() + 1 : word.end() + 2]
                if text[0].isupper():
                    before.setdefault(text, Counter())[last_word(source[: word.start()])] += 1
                    copied[text] += text in there or f"{text}s" in there
                    followed[text] += after.isupper() and source[word.end()] == " "
                else:
                    small.add(text)
            ours = {*map(digits_of, NUMBER.findall(target))}
            for number in NUMBER.findall(source):
                digits[number] += 1
                same[number] += digits_of(number) in ours
        seen = {word: each.total() for word, each in before.items()}
        kept = {word for word, count in seen.items() if copied[word] >= COPIED * count}
        names = [
            word
            for word in sorted(kept, key=lambda word: (-seen[word], word))
            if seen[word] >= OFTEN
            and followed[word] < ALONE * seen[word]
            and max(before[word].values()) < (1 - ALONE / 3) * seen[word]
        ]
        numbers = [one for one, count in same.most_common() if 2 * count >= OFTEN and count >= COPIED * digits[one]]
        once = [word for word, count in seen.items() if count == 1 and not before[word][""]]
        known = {word.lower() for word, count in seen.items() if count > 1 and word not in kept} | small
        return cls(
            names={name: dict(before[name].most_common(COUNT)) for name in names[:COUNT]},
            numbers=numbers[:COUNT],
            kept=frozenset(kept),
            known=frozenset(word for word in known if len(word) <= LONGEST),
            capital=bool(once) and sum(word in kept for word in once) >= ALONE * len(once),
        )

    @classmethod
    def restore(cls, state: JsonObject) -> Self:
        """Return the object whose `state` this is.

        Raises:
            ValueError: Its fields are not those of one.
        """
        state = checked_fields(state, FORM, {})
        words = {name: frozenset(state[name].split()) for name in ("kept", "known")}
        return cls(state["names"], state["numbers"], words["kept"], words["known"], state["capital"])

    def state(self) -> JsonObject:
        """Return it as JSON types."""
        return self._asdict() | {"kept": " ".join(sorted(self.kept)), "known": " ".join(sorted(self.known))}

    def items(self, text: str) -> list[Item]:
        """Return the names and numbers of a text in order; abbreviations, as "Dr.", are none."""
        found = list[Item]()
        for one in ITEM.finditer(text):
            word, inside = one.group(), one.start() > 0
            if word[0].isdigit():
                found.append(Item(word, one.start()))
            elif word[0].isupper() and (text[one.end() : one.end() + 1] != "." or one.end() + 1 == len(text)):
                if word in self.kept:
                    found.append(Item(word, one.start()))
                elif word.lower() not in self.known and word[-1] == "s" and word[:-1] in self.kept:
                    found.append(Item(word[:-1], one.start()))
                elif word.lower() not in self.known and len(word) <= LONGEST:
                    found.append(Item(word, one.start(), self.capital and inside))
        return found

    def others(self, text: str, items: Sequence[Item], place: int) -> tuple[str, ...]:
        """Return another name or number for each item of a text, all different; empty if there are too few.

        A number gets one of its form, if there is one; a name, one that often follows the word before it.

        Args:
            place: 0 for the best ones, 1 for the second best, and so on.
        """
        found = list[str]()
        for item in items:
            given = self.numbers_like(item.text) if item.is_number else self.names_after(last_word(text[: item.start]))
            free = [one for one in given if one not in found and one not in text]
            if not free:
                return ()
            found.append(free[min(place, len(free) - 1)])
        return tuple(found)

    def names_after(self, word: str) -> list[str]:
        """Return the names, the one that follows a word most often first."""
        return sorted(self.names, key=lambda name: -self.names[name].get(word, 0))

    def numbers_like(self, number: str) -> list[str]:
        """Return the numbers of the same form; if they are whole, the others follow.

        Numbers of one digit stand in for none: they are often written as words.
        """
        form = form_of(number)
        alike = [one for one in self.numbers if form_of(one) == form and len(one) > 1]
        if alike and not form.isdigit():
            return alike
        return alike + [one for one in self.numbers if one.isdigit() and len(one) > 1 and one not in alike]


def last_word(text: str) -> str:
    """Return the last word of a text in small letters, empty if it has none."""
    words = WORD.findall(text)
    return words[-1].lower() if words else ""


def digits_of(number: str) -> str:
    """Return the digits of a number."""
    return re.sub(r"\D", "", number)


def form_of(number: str) -> str:
    """Return a number with each digit as 0."""
    return re.sub(r"\d", "0", number)
