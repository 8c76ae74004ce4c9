"""A small grammar that composes short English opinions: plain ones, and ones with a negation, contrast or comparison.

Each comes as a pair of a positive and a negative opinion of the same form, so that a single word or its place decides.
"""

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

WORDS = Path(__file__).with_name("opinion_words.tsv")
KINDS = (*["plain"] * 4, *["negation"] * 2, "contrast", "comparison")  # as often as people use them


@cache
def fields() -> list[dict[str, list[str]]]:
    """Return the words of each field of life by their part in an opinion, from `opinion_words.tsv`.

    * `one`, `many`: what is judged, in the singular and in the plural.
    * `qualities`: adjectives. `acts`: what it does, in the plain form of the verb.
    * `lacks`: what there is too much of, and what there should be, as nouns.
    * `deeds`: what people did with it, its name as `{}`. `feelings`: their verbs.
    * `verdicts`, `denials`: their sentences.
    * `better`: comparatives. `others`: what it is compared with.

    Those with a side are there twice, such as `acts negative` and `acts positive`.
    """
    rows: dict[str, dict[str, list[str]]] = {}
    for line in WORDS.read_text("utf-8").splitlines()[1:]:
        name, part, found = line.split("\t")
        rows.setdefault(name, {})[part] = words(found)
    general = rows.pop("any")
    return [general | own for own in rows.values()]


ADVERBS = "so, very, really, quite, just, simply, pretty, incredibly, absolutely, truly, rather, , , , "
AT_ALL = ("", "", " at all", " in the least", " by any means", " one bit", " in any way")


def words(text: str) -> list[str]:
    """Return the parts of a list with commas."""
    return [part.strip() for part in text.split(",")]


def third(verb: str) -> str:
    """Return a phrase that begins with a verb as `it` has it.

    Example:
        >>> third("fly by"), third("do the job"), third("have it all"), third("stay open")
        ('flies by', 'does the job', 'has it all', 'stays open')
    """
    first, _, rest = verb.partition(" ")
    if first == "have":
        first = "has"
    elif first.endswith(("s", "sh", "ch", "x", "o")):
        first += "es"
    elif first.endswith("y") and first[-2] not in "aeou":
        first = f"{first[:-1]}ies"
    else:
        first += "s"
    return f"{first} {rest}".strip()


def article(word: str) -> str:
    """Return the indefinite article of a word, and a space.

    Example:
        >>> [article(word) + word for word in ("useless", "ugly", "unhelpful", "nice")]
        ['a useless', 'an ugly', 'an unhelpful', 'a nice']
    """
    return "an " if word[0] in "aeiou" and not word.startswith("use") else "a "


class Composer:
    """Composes clauses of one opinion; each choice is the same for both opinions of a pair, if their forms have it.

    Args:
        seed: What the choices come from.
        good: Whether the opinion is positive.
    """

    def __init__(self, seed: int, good: bool) -> None:
        self.draws, self.good = random.Random(seed), good
        self.words = self.draws.choice(fields())
        self.one, self.other = self.draws.sample(self.words["one"], 2)
        self.many = self.draws.random() < 0.15
        if self.many:
            self.one = self.draws.choice(self.words["many"])

    def pick(self, text: str) -> str:
        """Return one of the parts of a list."""
        return self.draws.choice(words(text))

    def side(self, part: str, good: bool) -> str:
        """Return a word of a part and a side."""
        place, found = self.draws.random(), self.words[f"{part} {'positive' if good else 'negative'}"]
        return found[int(place * len(found))]

    def adverb(self) -> str:
        """Return an adverb before an adjective, or nothing."""
        found = self.pick(ADVERBS)
        return f"{found} " if found else ""

    def name(self) -> str:
        """Return what is judged, with an article or the like."""
        return f"{self.pick('these, the, those, my' if self.many else 'this, the, the, my, our')} {self.one}"

    def subject(self) -> tuple[str, str, str]:
        """Return what is judged, its form of `is`, and its form of `does`."""
        past = self.draws.random() < 0.35
        verb = ("are", "were") if self.many else ("is", "was")
        return self.name(), verb[past], "do" if self.many else "does"

    def negated(self, verb: str) -> str:
        """Return a verb with its negation, short or whole."""
        return f"{verb}n't" if self.draws.random() < 0.6 else f"{verb} not"

    def plain(self, good: bool) -> str:
        """Return a clause without a negation."""
        name, verb, _ = self.subject()
        quality, act = self.side("qualities", good), self.side("acts", good)
        forms: list[Callable[[], str]] = [
            lambda: f"{name} {verb} {self.adverb()}{quality}",
            lambda: f"{name} {verb} {self.adverb()}{quality} and {self.side('qualities', good)}",
            lambda: f"{name} {act if self.many else third(act)}",
            lambda: f"I {self.side('feelings', good)} {name}",
            lambda: f"I {self.side('deeds', good).format(self.one)}",
            lambda: f"{self.adverb()}{quality} {self.one}",
            lambda: f"what {'' if self.many else article(quality)}{quality} {self.one}",
            lambda: f"I wish I had {f'found {name} sooner' if good else f'never tried {name}'}",
            lambda: f"{name} {verb} {'a joy' if good else 'a nuisance'}",
            lambda: f"{quality}, {self.side('qualities', good)} and {self.side('qualities', good)}",
            lambda: (
                f"too {'many' if self.side('lacks', False).endswith('s') else 'much'} to complain about"
                if not good
                else f"plenty of {self.side('lacks', True)}"
            ),
            lambda: f"{name} {verb} {self.adverb()}{quality}, {self.side('verdicts', good)}",
        ]
        return self.draws.choice(forms)()

    def negation(self, good: bool) -> str:
        """Return a clause that denies the opposite."""
        name, verb, does = self.subject()
        quality, act = self.side("qualities", not good), self.side("acts", not good)
        lacking = self.side("lacks", not good)
        forms: list[Callable[[], str]] = [
            lambda: f"{name} {self.negated(verb)} {quality}{self.draws.choice(AT_ALL)}",
            lambda: f"{name} {self.negated(verb)} {quality}{self.draws.choice(AT_ALL)}",
            lambda: f"not {quality}{self.draws.choice(AT_ALL)}",
            lambda: f"{name} {self.negated(does)} {act}",
            lambda: f"{name} never {act if self.many else third(act)}",
            lambda: f"there {'is' if lacking[-1] != 's' else 'are'} no {lacking} here",
            lambda: f"no {lacking}, no {self.side('lacks', not good)}",
            lambda: f"nothing {quality} about {name}",
            lambda: f"{name} {verb} anything but {quality}",
            lambda: f"{name} {verb} far from {quality}",
            lambda: f"I {self.negated('do')} think {name} {verb} {quality}",
            lambda: f"I can't say that {name} {verb} {quality}",
            lambda: f"{self.draws.choice(['nobody', 'no one'])} can call {name} {quality}",
            lambda: f"{name} could not be {'better' if good else 'worse'}",
            lambda: f"I have never had a {'better' if good else 'worse'} {self.one}",
            lambda: self.side("denials", good),
        ]
        return self.draws.choice(forms)()

    def clause(self, good: bool) -> str:
        """Return a clause, with a negation or without."""
        return self.negation(good) if self.draws.random() < 0.35 else self.plain(good)

    def contrast(self, good: bool) -> str:
        """Return two clauses of which the second decides."""
        first = self.clause(not good)
        self.one, self.many = self.other, False
        second = self.clause(good)
        verdict, lacking = self.side("verdicts", good), self.side("lacks", not good)
        forms = [
            f"{first}, but {second}",
            f"{first}, but {second}",
            f"{first}; {second}",
            f"{first}. {'still' if good else 'sadly'}, {second}",
            f"{first}, yet {second}",
            f"although {first}, {second}",
            f"even though {first}, {second}",
            f"{first}, {second} though",
            f"at first I thought {first}, and now I know {second}",
            f"I was told that {first}, and {second}",
            f"despite the {self.side('lacks', not good)}, {second}",
            f"I expected {self.side('lacks', not good)} and got {self.side('lacks', good)}",
            f"{first}. {verdict}" if good else f"{first}, pity about the {lacking}",
            f"{'despite' if good else 'for'} all the {lacking}, {second}",
            f"they say that {first}; well, {second}",
        ]
        return self.draws.choice(forms)

    def comparison(self, good: bool) -> str:
        """Return a clause that compares with something else."""
        name, verb, _ = self.subject()
        other = self.draws.choice(self.words["others"])
        better, worse = self.side("better", good), self.side("better", not good)
        quality, opposite = self.side("qualities", good), self.side("qualities", not good)
        much = self.pick("much, far, a lot, so much, even, a little, , ")
        much = f"{much} " if much else ""
        forms = [
            f"{name} {verb} {much}{better} than {other}",
            f"{much}{better} than {other}",
            f"{other} {'was' if self.draws.random() < 0.6 else 'is'} {much}{worse}",
            f"{name} {verb} not as {opposite} as {other}",
            f"not nearly as {opposite} as {other}",
            f"{name} {verb} as {quality} as {other} is {opposite}",
            f"the {'best' if good else 'worst'} {self.one} I have ever had",
            f"one of the {'best' if good else 'worst'} I know",
            f"I have had {'worse' if good else 'better'}, and {'never better' if good else 'never worse'}",
            f"{name} {'has' if not self.many else 'have'} become {much}{better} over the years",
            f"{name} used to be {much}{worse}",
            f"{other} {'can not compete with' if good else 'puts to shame'} {name}",
            f"I prefer {f'{name} to {other}' if good else f'{other} to {name}'}",
            f"{name} {'beats' if good else 'is no match for'} {other}",
            f"{'half' if good else 'twice'} the price and {'twice' if good else 'half'} as good as {other}",
            f"{'a step up from' if good else 'a step down from'} {other}",
            f"next to {name} {other} looks {opposite}",
        ]
        return self.draws.choice(forms)

    def opinion(self, kind: str) -> str:
        """Return an opinion as people write it: with or without capitals, marks, and a second sentence."""
        text = getattr(self, kind)(self.good)
        more, style = self.draws.random(), self.draws.random()
        if more < 0.15:
            text += f". {self.side('verdicts', self.good)}"
        elif more < 0.3:
            text += f". {self.clause(self.good)}"
        if style < 0.25:
            return text.replace(". ", ", ")
        text = ". ".join(part[:1].upper() + part[1:] for part in text.split(". "))
        text = text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}") if style > 0.8 else text
        return text + self.draws.choice(["", ".", ".", ".", ".", "!", "!!"])


def composed_opinions(count: int, seed: int = 0) -> list[tuple[str, str, str]]:
    """Return different opinions in pairs: kind, positive opinion, negative opinion.

    Example:
        >>> composed_opinions(5)[4]
        ('negation', 'Our music is not boring.', 'Our music is not gripping.')
    """
    found: dict[str, tuple[str, str, str]] = {}
    number = seed * 1_000_003
    while len(found) < count:
        number += 1
        kind = KINDS[number % len(KINDS)]
        bad, good = (Composer(number, side).opinion(kind) for side in (False, True))
        if bad != good and good not in found:
            found[good] = (kind, good, bad)
    return [*found.values()]
