"""A small grammar that composes sentences in English and in German, with their genders, cases and word orders."""

import random
from collections.abc import Callable
from typing import NamedTuple

Pair = tuple[str, str]  # English, German
Case = str  # "nominative", "accusative" or "dative"

DEFINITE = {"nominative": "der die das", "accusative": "den die das", "dative": "dem der dem"}
INDEFINITE = {"nominative": "ein eine ein", "accusative": "einen eine ein", "dative": "einem einer einem"}
WEAK = {"nominative": "e e e", "accusative": "en e e", "dative": "en en en"}  # adjectives after `der`
MIXED = {"nominative": "er e es", "accusative": "en e es", "dative": "en en en"}  # adjectives after `ein`
GENDERS = "mfn"
CONTRACTED = {"in dem": "im", "an dem": "am", "bei dem": "beim", "von dem": "vom"}


class Noun(NamedTuple):
    """A noun in the singular."""

    english: str
    german: str
    gender: str  # one of GENDERS


class Verb(NamedTuple):
    """A verb in its forms: she sees, to see, has seen."""

    english: str
    plain: str
    past: str
    german: str
    infinitive: str
    participle: str
    objects: str  # kinds of objects, from NOUNS; empty for a verb without an object


def nouns(text: str) -> list[Noun]:
    """Return nouns from lines of `English, German, gender`."""
    return [Noun(*map(str.strip, line.split(","))) for line in text.strip().splitlines()]


def verbs(text: str) -> list[Verb]:
    """Return verbs from lines of their fields."""
    return [Verb(*map(str.strip, line.split(","))) for line in text.strip().splitlines()]


NOUNS = {
    "person": nouns("""
        man, Mann, m
        woman, Frau, f
        child, Kind, n
        girl, Mädchen, n
        teacher, Lehrerin, f
        doctor, Arzt, m
        neighbour, Nachbarin, f
        grandfather, Großvater, m
        aunt, Tante, f
        baker, Bäcker, m
        friend, Freundin, f
        baby, Baby, n
        farmer, Bäuerin, f
        uncle, Onkel, m
    """),
    "animal": nouns("""
        dog, Hund, m
        cat, Katze, f
        horse, Pferd, n
        bird, Vogel, m
        cow, Kuh, f
        sheep, Schaf, n
        fish, Fisch, m
        mouse, Maus, f
        duck, Ente, f
        pig, Schwein, n
    """),
    "food": nouns("""
        apple, Apfel, m
        bread, Brot, n
        pear, Birne, f
        egg, Ei, n
        cake, Kuchen, m
        soup, Suppe, f
        cheese, Käse, m
        carrot, Möhre, f
        orange, Orange, f
        fruit salad, Obstsalat, m
    """),
    "thing": nouns("""
        book, Buch, n
        key, Schlüssel, m
        lamp, Lampe, f
        letter, Brief, m
        bottle, Flasche, f
        bicycle, Fahrrad, n
        chair, Stuhl, m
        clock, Uhr, f
        picture, Bild, n
        umbrella, Regenschirm, m
        bag, Tasche, f
        knife, Messer, n
    """),
    "place": nouns("""
        in the garden, in Garten, m
        in the kitchen, in Küche, f
        in the house, in Haus, n
        at the window, an Fenster, n
        in the town, in Stadt, f
        under the tree, unter Baum, m
        behind the church, hinter Kirche, f
        near the hotel, bei Hotel, n
        on the bridge, auf Brücke, f
        beside the car, neben Auto, n
        in front of the school, vor Schule, f
        on the table, auf Tisch, m
    """),
}
ADJECTIVES: list[Pair] = [
    ("old", "alt"),
    ("small", "klein"),
    ("big", "groß"),
    ("young", "jung"),
    ("new", "neu"),
    ("red", "rot"),
    ("green", "grün"),
    ("white", "weiß"),
    ("beautiful", "schön"),
    ("expensive", "teuer"),
    ("quiet", "ruhig"),
    ("funny", "lustig"),
    ("heavy", "schwer"),
    ("warm", "warm"),
]
STEMS = {"teuer": "teur"}
FIT = {  # kind of noun -> adjectives that match it
    "person": ("old", "small", "big", "young", "beautiful", "quiet", "funny"),
    "animal": ("old", "small", "big", "young", "white", "beautiful", "quiet", "funny", "heavy"),
    "food": ("small", "big", "red", "green", "white", "expensive", "warm"),
    "thing": ("old", "small", "big", "new", "red", "green", "white", "beautiful", "expensive", "heavy"),
}
VERBS = verbs("""
    sees, see, seen, sieht, sehen, gesehen, person animal food thing
    buys, buy, bought, kauft, kaufen, gekauft, animal food thing
    looks for, look for, looked for, sucht, suchen, gesucht, person animal thing
    finds, find, found, findet, finden, gefunden, person animal food thing
    eats, eat, eaten, isst, essen, gegessen, food
    paints, paint, painted, malt, malen, gemalt, person animal food thing
    feeds, feed, fed, füttert, füttern, gefüttert, animal
    cleans, clean, cleaned, putzt, putzen, geputzt, thing
    loves, love, loved, liebt, lieben, geliebt, person animal
    forgets, forget, forgotten, vergisst, vergessen, vergessen, thing food
    hears, hear, heard, hört, hören, gehört, person animal
    sells, sell, sold, verkauft, verkaufen, verkauft, animal food thing
""")
GIVING = verbs("""
    gives, give, given, gibt, geben, gegeben, food thing
    shows, show, shown, zeigt, zeigen, gezeigt, animal food thing
    brings, bring, brought, bringt, bringen, gebracht, food thing
""")
RESTING = verbs("""
    sleeps, sleep, slept, schläft, schlafen, geschlafen,
    waits, wait, waited, wartet, warten, gewartet,
    sings, sing, sung, singt, singen, gesungen,
    laughs, laugh, laughed, lacht, lachen, gelacht,
    works, work, worked, arbeitet, arbeiten, gearbeitet,
    dances, dance, danced, tanzt, tanzen, getanzt,
""")
TIMES: list[Pair] = [
    ("Today", "Heute"),
    ("In the morning", "Am Morgen"),
    ("Sometimes", "Manchmal"),
    ("On Monday", "Am Montag"),
    ("In winter", "Im Winter"),
    ("Every day", "Jeden Tag"),
]
MODALS: list[Pair] = [("wants to", "will"), ("can", "kann"), ("must", "muss"), ("may", "darf")]


def noun_phrase(noun: Noun, case: Case, definite: bool, adjective: Pair | None) -> Pair:
    """Return a noun with its article, and with an adjective if given, in one case."""
    form = GENDERS.index(noun.gender)
    article = (DEFINITE if definite else INDEFINITE)[case].split()[form]
    if adjective is None:
        english, german = noun.english, noun.german
    else:
        ending = (WEAK if definite else MIXED)[case].split()[form]
        english = f"{adjective[0]} {noun.english}"
        german = f"{STEMS.get(adjective[1], adjective[1])}{ending} {noun.german}"
    indefinite = "an" if english[0] in "aeiou" else "a"
    return f"{'the' if definite else indefinite} {english}", f"{article} {german}"


def random_phrase(draw: random.Random, kinds: str, case: Case) -> Pair:
    """Return a noun of one of some kinds with an article, and half of the time with a matching adjective."""
    kind = draw.choice(kinds.split())
    adjective = draw.choice([pair for pair in ADJECTIVES if pair[0] in FIT[kind]]) if draw.random() < 0.5 else None
    return noun_phrase(draw.choice(NOUNS[kind]), case, draw.random() < 0.5, adjective)


def random_place(draw: random.Random) -> Pair:
    """Return a random place, in the dative."""
    english, german, gender = draw.choice(NOUNS["place"])
    preposition, noun = german.split()
    where = f"{preposition} {DEFINITE['dative'].split()[GENDERS.index(gender)]}"
    return english, f"{CONTRACTED.get(where, where)} {noun}"


class SentenceParts(NamedTuple):
    """Subject, verb and object of a sentence, in both languages."""

    subject: Pair
    verb: Verb
    object: Pair


def sentence_parts(draw: random.Random) -> SentenceParts:
    """Return a random subject with a verb and an object that match."""
    verb = draw.choice(VERBS)
    return SentenceParts(
        random_phrase(draw, "person", "nominative"), verb, random_phrase(draw, verb.objects, "accusative")
    )


def statement(draw: random.Random) -> Pair:
    (who, wer), verb, (what, was) = sentence_parts(draw)
    return f"{who} {verb.english} {what}.", f"{wer} {verb.german} {was}."


def statement_with_place(draw: random.Random) -> Pair:
    (who, wer), verb, (what, was) = sentence_parts(draw)
    where, wo = random_place(draw)
    return f"{who} {verb.english} {what} {where}.", f"{wer} {verb.german} {was} {wo}."


def statement_with_time(draw: random.Random) -> Pair:
    (who, wer), verb, (what, was) = sentence_parts(draw)
    when, wann = draw.choice(TIMES)
    return f"{when}, {who} {verb.english} {what}.", f"{wann} {verb.german} {wer} {was}."


def negated_statement(draw: random.Random) -> Pair:
    verb = draw.choice(VERBS)
    who, wer = random_phrase(draw, "person", "nominative")
    what, was = noun_phrase(draw.choice(NOUNS[draw.choice(verb.objects.split())]), "accusative", True, None)
    return f"{who} does not {verb.plain} {what}.", f"{wer} {verb.german} {was} nicht."


def question(draw: random.Random) -> Pair:
    (who, wer), verb, (what, was) = sentence_parts(draw)
    return f"does {who} {verb.plain} {what}?", f"{verb.german} {wer} {was}?"


def modal_statement(draw: random.Random) -> Pair:
    (who, wer), verb, (what, was) = sentence_parts(draw)
    does, tut = draw.choice(MODALS)
    return f"{who} {does} {verb.plain} {what}.", f"{wer} {tut} {was} {verb.infinitive}."


def perfect_statement(draw: random.Random) -> Pair:
    (who, wer), verb, (what, was) = sentence_parts(draw)
    return f"{who} has {verb.past} {what}.", f"{wer} hat {was} {verb.participle}."


def gift_statement(draw: random.Random) -> Pair:
    verb = draw.choice(GIVING)
    who, wer = random_phrase(draw, "person", "nominative")
    whom, wem = random_phrase(draw, "person", "dative")
    what, was = random_phrase(draw, verb.objects, "accusative")
    return f"{who} {verb.english} {whom} {what}.", f"{wer} {verb.german} {wem} {was}."


def rest_statement(draw: random.Random) -> Pair:
    who, wer = random_phrase(draw, "person animal", "nominative")
    verb = draw.choice(RESTING[:2] if draw.random() < 0.3 else RESTING)
    where, wo = random_place(draw)
    return f"{who} {verb.english} {where}.", f"{wer} {verb.german} {wo}."


def reason_statement(draw: random.Random) -> Pair:
    verb = draw.choice(RESTING)
    someone, jemand = random_phrase(draw, "person", "nominative")
    (who, wer), act, (what, was) = sentence_parts(draw)
    return (
        f"{someone} {verb.english} because {who} {act.english} {what}.",
        f"{jemand} {verb.german}, weil {wer} {was} {act.german}.",
    )


PATTERNS: list[Callable[[random.Random], Pair]] = [
    statement,
    statement_with_place,
    statement_with_time,
    negated_statement,
    question,
    modal_statement,
    perfect_statement,
    gift_statement,
    rest_statement,
    reason_statement,
]


def composed_sentences(count: int, seed: int = 0) -> list[Pair]:
    """Return `count` different sentences, from each pattern in turn, in English and in German.

    Args:
        count: At most some tens of thousands.
        seed: The same seed gives the same sentences.
    """
    draw, found = random.Random(seed), dict[str, str]()
    while len(found) < count:
        english, german = PATTERNS[len(found) % len(PATTERNS)](draw)
        found.setdefault(english[0].upper() + english[1:], german[0].upper() + german[1:])
    return list(found.items())
