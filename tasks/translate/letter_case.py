"""Sentences in capitals and titles, read in the case that a run knows, and written as they came."""

import re
from collections.abc import Callable, Sequence
from typing import Literal

from data.texts.word_tables import SMALL, words_of

Case = Literal["plain", "upper", "title"]
Spelling = Callable[[str], str]
ACRONYM = 4  # letters of a single word in capitals that is left alone
LEAST_WORDS = 3  # of a title
FIRST = re.compile(r"[^\W\d_]")
WORD = re.compile(rf"\b[^\W\d_]{{{ACRONYM},}}\b")
ENGLISH_I = re.compile(r"I(?:['\u2019](?:M|LL|VE|D|m|ll|ve|d))?\W*$")


def letter_case(text: str, language: str, usual: Spelling) -> Case:
    """Return whether a sentence is in capitals, or is a title with a capital in each word.

    * A single short word in capitals, such as "USA", is plain.
    * In a title the function words of the language may be small. Half of the other words, apart from the first, would
      be small in a sentence; names alone are not a title.

    Args:
        usual: Returns the usual spelling of a word.
    """
    if not any(map(str.isupper, text[1:])):
        return "plain"
    words = [word for word in text.split() if FIRST.search(word)]
    if is_upper(text):
        letters = sum(map(str.isalpha, text))
        return "upper" if letters > ACRONYM or (len(words) > 1 and letters >= ACRONYM) else "plain"
    return "title" if is_title(words, language, usual) else "plain"


def is_upper(text: str) -> bool:
    """Return whether all letters of a text that have a case are capitals, two at least."""
    return text.isupper() and sum(map(str.isupper, text)) > 1


def is_title(words: list[str], language: str, usual: Spelling) -> bool:
    """Return whether words with letters are a title."""
    if len(words) < LEAST_WORDS or not begins_upper(words[0]):
        return False
    small = words_of(SMALL, language)
    capital = [word for word in words[1:] if begins_upper(word)]
    if any(not begins_upper(word) and word.strip(",;:-") not in small for word in words[1:]):
        return False
    common = sum(not begins_upper(usual(word)) for word in capital)
    return common > 1 and 2 * common >= len(capital)


def begins_upper(word: str) -> bool:
    """Return whether the first letter of a word is a capital."""
    letter = FIRST.search(word)
    return letter is not None and letter.group().isupper()


def sentence_case(text: str, case: Case, language: str, usual: Spelling) -> str:
    """Return a clean sentence in capitals, or a title, as a usual sentence."""
    if case == "plain":
        return text
    words = text.split()
    found = [
        word[0] + word[1:].lower() if language == "en" and ENGLISH_I.match(word) else usual(word) for word in words
    ]
    return " ".join([capitalized(found[0]), *found[1:]])


def text_without_shouts(text: str, usual: Spelling, numbers: Callable[[str], Sequence[int]]) -> str:
    """Return a sentence with its words in capitals in their usual spelling, if that is a sub-word and they are not.

    Short words stay, since they may be acronyms.
    """
    if not any(map(str.isupper, text[1:])):
        return text

    def spelt(found: re.Match[str]) -> str:
        small = usual(found[0]) if found[0].isupper() else found[0]
        return small if len(numbers(small)) == 1 < len(numbers(found[0])) else found[0]

    return WORD.sub(spelt, text)


def usual_spelling(word: str, length: Callable[[str], int]) -> str:
    """Return the spelling of a word that takes fewest sub-words: small, with a capital, or as it is.

    Of equals it is the small one. An unknown word of several sub-words, perhaps a name, keeps a single capital.
    """
    small = word.lower()
    large = capitalized(small)
    marks = sum(not sign.isalnum() for sign in word)
    is_name = word == large and length(small) > 1 + marks
    return min((large, small) if is_name else (small, large, word), key=length)


def capitalized(word: str) -> str:
    """Return a word with its first letter as a capital."""
    return FIRST.sub(lambda letter: letter.group().upper(), word, count=1)


def cased(text: str, case: Case, kept: frozenset[str] = frozenset()) -> str:
    """Return a part of a translation in the case of its sentence.

    Args:
        kept: Words that stay small in a title.
    """
    if case == "upper":
        return text.upper()
    if case == "plain":
        return text
    return re.sub(r"\S+", lambda word: word.group() if word.group() in kept else capitalized(word.group()), text)
