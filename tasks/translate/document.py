"""A text as it is read: sentences as sub-words, and what is kept around and inside them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from data.texts.frames import BREAK, Passage, text_parts
from data.texts.text import clean_text
from data.texts.text_items import has_markup, plain
from data.texts.wrapping import WIDE_LETTER
from tasks.translate.clauses import Clause, Tokens, clauses
from tasks.translate.letter_case import Case, is_upper, letter_case, sentence_case, text_without_shouts


@dataclass(frozen=True)
class Inset:
    """A tag, an emoji or the like inside a sentence.

    Attributes:
        clause: The clause that it stands in.
        place: Number of sub-words of the clause before it.
        after_space: Whether it stands behind a space, as an opening tag does, or behind a word.
    """

    text: str
    clause: int
    place: int
    after_space: bool

    @property
    def is_break(self) -> bool:
        """Whether this is a line break of a wrapped paragraph, which takes the place of a space."""
        return bool(BREAK.match(self.text))


@dataclass(frozen=True)
class Sentence:
    """A sentence of the source.

    Attributes:
        text: The sentence, clean, as it came.
        case: Case to give back to the translation; the clauses are in the case that the run knows.
        clauses: Its parts that fit into the network; nearly always one.
        insets: What stood inside it, in order.
        is_small: Whether a title has words with small letters.
    """

    text: str
    case: Case
    clauses: Sequence[Clause]
    insets: Sequence[Inset]
    is_small: bool


@dataclass(frozen=True)
class Document:
    """An input of the translator.

    Attributes:
        raw: The input.
        parts: Sentences, and what is copied around them.
        is_escaped: Whether signs such as `&` are written as entities.
    """

    raw: str
    parts: Sequence[str | Sentence]
    is_escaped: bool

    @property
    def sentences(self) -> list[Sentence]:
        """The sentences in order."""
        return [part for part in self.parts if isinstance(part, Sentence)]

    def spaced_parts(self) -> list[str | Sentence]:
        """Return the parts with a space between sentences that have none, as in Chinese."""
        found = list[str | Sentence]()
        for part in self.parts:
            if found and isinstance(part, Sentence) and isinstance(found[-1], Sentence):
                found.append(" ")
            found.append(part)
        return found

    @property
    def cut(self) -> int:
        """Number of clauses that over-long sentences are cut into; 0 if there are none."""
        return sum(len(each.clauses) for each in self.sentences if len(each.clauses) > 1)


@dataclass(frozen=True)
class Reader:
    """How texts are read for a run.

    Attributes:
        language: Language of the texts.
        longest: Most sub-words of a sentence.
        usual_length: Most sub-words of a part of a longer one.
        numbers: Returns a word as sub-words.
        usual: Returns the usual spelling of a word.
        known: Cases that the run has seen in training.
    """

    language: str
    longest: int
    usual_length: int
    numbers: Callable[[str], Tokens]
    usual: Callable[[str], str]
    known: frozenset[str] = frozenset()

    def document(self, raw: str) -> Document:
        """Return a text as a document."""
        loud = is_upper(raw) and len(raw.split()) > 1
        parts = [
            part if isinstance(part, str) else self.sentence(part, loud) for part in text_parts(raw, self.language)
        ]
        return Document(raw, parts, has_markup(raw))

    def sentence(self, passage: Passage, loud: bool = False) -> Sentence:
        """Return a passage as a sentence.

        Args:
            loud: Whether all of its text is in capitals, so that a single short word is, too.
        """
        text = clean_text(unwrapped(plain(passage.text)))
        case: Case = "upper" if loud else letter_case(text, self.language, self.usual)
        case = "plain" if case in self.known else case
        parts = clauses(self.spelt(text, case), self.longest, self.language, self.numbers, self.usual_length)
        small = case == "title" and any(word.islower() for word in text.split())
        return Sentence(text, case, parts, self.insets(passage, case, parts), small)

    def spelt(self, text: str, case: Case) -> str:
        """Return a clean text of a case as the run reads it."""
        if case == "plain" and "upper" not in self.known:
            return text_without_shouts(text, self.usual, self.numbers)
        return sentence_case(text, case, self.language, self.usual)

    def insets(self, passage: Passage, case: Case, parts: Sequence[Clause]) -> list[Inset]:
        """Return the marks of a passage with their places among the sub-words of its clauses."""
        found = []
        for mark in passage.marks:
            before = passage.text[: mark.place]
            clean = clean_text(unwrapped(plain(before)))
            words = self.spelt(clean, case).split() if clean else []
            place, clause = sum(len(self.numbers(word)) for word in words), 0
            while clause < len(parts) - 1 and place >= len(parts[clause].tokens):
                place, clause = place - len(parts[clause].tokens), clause + 1
            found.append(Inset(mark.text, clause, place, before[-1:].isspace()))
        return found


def unwrapped(text: str) -> str:
    """Return a text without the line breaks between letters of scripts that write no spaces."""

    def gap(found: re.Match[str]) -> str:
        is_wide = WIDE_LETTER.match(text, found.end()) and WIDE_LETTER.match(text, found.start() - 1)
        return "" if is_wide else " "

    return BREAK.sub(gap, text) if "\n" in text or "\r" in text else text
