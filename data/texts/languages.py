"""Languages by their codes and names, and how to tell two of them apart by their commonest words."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

LANGUAGES = {  # ISO 639-1 -> ISO 639-2 and -3, and the English name
    "ar": "ara arb arabic",
    "bg": "bul bulgarian",
    "bn": "ben bengali",
    "ca": "cat catalan",
    "cs": "ces cze czech",
    "cy": "cym wel welsh",
    "da": "dan danish",
    "de": "deu ger german",
    "el": "ell gre greek",
    "en": "eng english",
    "eo": "epo esperanto",
    "es": "spa spanish",
    "et": "est ekk estonian",
    "eu": "eus baq basque",
    "fa": "fas per pes persian farsi",
    "fi": "fin finnish",
    "fr": "fra fre french",
    "ga": "gle irish",
    "gl": "glg galician",
    "gu": "guj gujarati",
    "ha": "hau hausa",
    "he": "heb iw hebrew",
    "hi": "hin hindi",
    "hr": "hrv croatian",
    "hu": "hun hungarian",
    "hy": "hye arm armenian",
    "id": "ind indonesian",
    "is": "isl ice icelandic",
    "it": "ita italian",
    "ja": "jpn jp japanese",
    "ka": "kat geo georgian",
    "kk": "kaz kazakh",
    "km": "khm khmer",
    "ko": "kor kr korean",
    "la": "lat latin",
    "lo": "lao",
    "lt": "lit lithuanian",
    "lv": "lav lvs latvian",
    "mk": "mkd mac macedonian",
    "ml": "mal malayalam",
    "mr": "mar marathi",
    "ms": "msa may zsm malay",
    "mt": "mlt maltese",
    "my": "mya bur burmese",
    "nb": "nob",
    "ne": "nep npi nepali",
    "nl": "nld dut dutch",
    "nn": "nno",
    "no": "nor norwegian",
    "pa": "pan punjabi",
    "pl": "pol polish",
    "ps": "pus pashto",
    "pt": "por portuguese",
    "ro": "ron rum romanian",
    "ru": "rus russian",
    "si": "sin sinhala",
    "sk": "slk slo slovak",
    "sl": "slv slovenian slovene",
    "sq": "sqi alb albanian",
    "sr": "srp serbian",
    "sv": "swe swedish",
    "sw": "swa swh swahili",
    "ta": "tam tamil",
    "te": "tel telugu",
    "th": "tha thai",
    "tl": "tgl tagalog",
    "tr": "tur turkish",
    "uk": "ukr ukrainian",
    "ur": "urd urdu",
    "uz": "uzb uzbek",
    "vi": "vie vietnamese",
    "zh": "zho chi cmn cn chinese",
    "zu": "zul zulu",
}
CODES = {name: code for code, names in LANGUAGES.items() for name in (code, *names.split())}
REGION = r"[_-](?:[A-Za-z]{2}|[A-Z][a-z]{3}|[A-Z]{4}|\d{3})"  # of a country, a script or a part of the world
TAG = re.compile(rf"([A-Za-z]{{2,}}?)({REGION})?({REGION})?")
WORDS = {  # words that are common in one language, and rare in the others of this table
    "cs": "je se na že jsem jsou byl to není",
    "de": "der die das und ist ich nicht ein eine den mit wir sie auf für",
    "en": "the and is of to you that was are my he she it this have not",
    "es": "el los las y es que una por está no con su lo pero",
    "fi": "on ei ja minä hän olen oli että se",
    "fr": "le les et est je vous une pas des que il nous dans pour c'est",
    "hu": "a az és nem egy hogy van ez",
    "it": "il che di è un non sono gli una per ho della",
    "nl": "de het een en ik niet van dat zijn hij je met",
    "pl": "nie się jest w na że to z jestem",
    "pt": "o os as e é que uma não eu você com do da em",
    "ro": "este și nu un o în să pe că",
    "sv": "och är jag inte det att en han på som för",
    "tr": "bir ve bu ne için değil ben çok",
}
LETTERS = {  # letters of one language of this table alone
    "ar": "[\u0620-\u064a]+",
    "bg": "[\u0400-\u04ff]+",
    "el": "[\u0370-\u03ff]+",
    "he": "[\u05d0-\u05ea]+",
    "hi": "[\u0900-\u097f]+",
    "ja": "[\u3040-\u30ff]",
    "ko": "[\uac00-\ud7af]+",
    "ru": "[\u0400-\u04ff]+",
    "th": "[\u0e00-\u0e7f]+",
    "uk": "[\u0400-\u04ff]+",
    "zh": "[\u4e00-\u9fff]",
}
MARKS = {
    code: re.compile(pattern, re.IGNORECASE)
    for code, pattern in (
        LETTERS | {code: rf"\b(?:{'|'.join(words.split())})\b" for code, words in WORDS.items()}
    ).items()
}
SAMPLE = 100  # texts from which languages are told
LEAST = 5  # marks that tell a language
MARGIN = 4  # times as many marks as those of another language


def language_code(name: str) -> str | None:
    """Return the ISO 639-1 code of a language given as a code or an English name; `None` if it is not known.

    Example:
        >>> [language_code(name) for name in ("de", "deu_Latn", "EN-US", "German", "dev")]
        ['de', 'de', 'en', 'de', None]
    """
    found = TAG.fullmatch(name)
    return CODES.get(found[1].lower()) if found else None


def same_language(name: str, language: str) -> bool:
    """Return whether a name stands for a language; a region counts if both have one.

    Example:
        >>> [same_language(name, "pt-BR") for name in ("pt_BR", "por", "pt-PT", "en")]
        [True, True, False, False]
    """
    one, other = plain_tag(name), plain_tag(language)
    if one == other:
        return True
    code = language_code(name)
    return code is not None and code == language_code(language) and ("_" not in one or "_" not in other)


def plain_tag(name: str) -> str:
    """Return a code of a language by which equal codes are known."""
    return name.lower().replace("-", "_").removesuffix("_xx")


def tags_in(name: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start, the end and the text of each word of a name, alone and with a region behind it.

    Example:
        >>> [tag for _, _, tag in tags_in("train.en_US")]
        ['train', 'en', 'en_US', 'US']
    """
    for word in re.finditer(r"[^\W_]+", name):
        yield word.start(), word.end(), word[0]
        if region := re.compile(rf"{REGION}(?![^\W_])").match(name, word.end()):
            yield word.start(), region.end(), name[word.start() : region.end()]


def marks(texts: Iterable[str], language: str) -> int:
    """Return how many words or letters in the first texts are those of a language, 0 if none are known."""
    pattern = MARKS.get(language_code(language) or "")
    return len(pattern.findall("\n".join(islice(texts, SAMPLE)))) if pattern else 0


def are_swapped(one: list[str], other: list[str], source: str, target: str) -> bool:
    """Return whether texts are plainly in the opposite order of their languages.

    Args:
        one: Texts that should be in the language `source`.
        other: Texts that should be in the language `target`.

    Example:
        >>> are_swapped(["Das ist nicht der Hund."], ["That is not the dog, and this is a cat."], "en", "de")
        True
    """
    straight = marks(one, source) + marks(other, target)
    crossed = (marks(one, target), marks(other, source))
    return sum(crossed) >= LEAST and sum(crossed) > MARGIN * straight


def likely_language(texts: list[str]) -> str | None:
    """Return the code of the language that texts are plainly in; `None` if it is not clear."""
    counts = sorted(((marks(texts, code), code) for code in MARKS), reverse=True)
    (most, code), (second, _) = counts[:2]
    return code if most >= LEAST and most > MARGIN / 2 * second else None


def looks_like_another(texts: list[str], language: str) -> str | None:
    """Return the code of another language that texts are plainly in; `None` if there is none."""
    code = language_code(language)
    found = likely_language(texts) if code in MARKS else None
    return found if found and found != code and marks(texts, found) > MARGIN * marks(texts, language) else None
