"""Captions that tell left from right, in the languages in which captions are common."""

# ruff: noqa: RUF001 (letters of other scripts are meant)
import re
import unicodedata
from functools import lru_cache

STARTS = """
left right clockwise anticlockwise counterclockwise
links link(?:e[nmrs]?)\\b linkerhand linkshandig linksonder linksboven rechts rechte[nmrs]?\\b rechter linker
gauch droit[es]?\\b izquierd derech(?:[ao]s?)\\b sinistr destr[aoei]\\b esquer dreta direit[ao]s?\\b esker eskuin ezker
v[aä]nster h[oö]ger venstre h[oø]yre h[oø]jre hoger vasem vasen oike[ai] vasak parem
lew(?:o|y|a|ą|e|ej|ym|ego)\\b praw(?:o|y|a|ą|e|ej|ym|ego)\\b
vlevo vpravo nalevo napravo zleva zprava lev[oýáéou] prav[oýáéou]
v[lľ]avo doľava doprava lijev desn[oiaeu] lev[oiaeu]\\b levi desno
лев прав(?:о|ы|а|е|у|ой|ом|ая|ое|ую|ый|ого|ому|ых|ым)\\b слева справа влево вправо налево направо
лів ліво право зліва справа ліворуч праворуч отляво отдясно ляво дясно дясн лява лево десно лијев
αριστερ αριστερ[αάο] δεξι
sol(?:da|dan|u|un|a|ak|daki|unda|undaki|undan)?\\b sağ kiri kanan tr[aá]i\\b ph[aả]i\\b
bal(?:ra|r[oó]l|oldal\\w*)?\\b jobb(?:ra|r[oó]l|oldal\\w*)?\\b st[aâ]ng dreapt stanga kair[eė] de[sš]in kreis labaj
majtas djathtas vinstri hægri chwith kushoto kulia
"""
INSIDE = """
左 右 왼 오른 좌측 우측 ซ้าย ขวา يسار يمين أيسر أيمن الأيسر الأيمن چپ راست بائیں دائیں שמאל ימין
बाएं बाएँ बायां बायाँ बाई बायी बाये दाएं दाएँ दायां दायाँ दाई दायी दाये दाहिन বাম ডান இடது வலது ఎడమ కుడి ಎಡ ಬಲ ഇടത് വലത്
ડાબ જમણ ਖੱਬ ਸੱਜ डाव उजव ဘယ် ညာ ឆ្វេង ស្ដាំ ຊ້າຍ ຂວາ მარცხ მარჯვ ձախ աջ
"""
LETTERS = r"(?<![^\W\d_])"  # no letter before
SIDES = re.compile(
    f"{LETTERS}(?:{'|'.join(STARTS.split())})|{'|'.join(unicodedata.normalize('NFC', INSIDE).split())}"
    r"|(?:upper|lower|top|bottom|mid|far|hand)(?:left|right)",
    re.IGNORECASE,
)


@lru_cache(maxsize=1 << 16)
def tells_sides(caption: str) -> bool:
    """Return whether a caption has a word for left or right, so that it is wrong for the mirrored picture.

    The words are sought in all languages at once, also at the start of longer ones; some others are found with them.

    Example:
        >>> [tells_sides(text) for text in ("A left-hand glove.", "Ein Hund links.", "A bright cup.")]
        [True, True, False]
    """
    return SIDES.search(unicodedata.normalize("NFC", caption)) is not None
