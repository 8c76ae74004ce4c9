"""Texts parted into sentences, in several languages and scripts."""

import pytest

from data.texts.sentences import sentence_spans

# ruff: noqa: RUF001 (letters and marks of other scripts are meant)

GOLDEN = {  # sentences of a text, with a bar between them
    "en": [
        "Dr. Smith met Mrs. Jones. |They talked.",
        "He lives at No. 5 Park St. in London.",
        "No. |I will not go.",
        "I came at 5 p.m. |The shop was closed.",
        "The U.S. Army came. |It left.",
        "J. R. Smith wrote it. |I read it.",
        "So am I. |Tom left.",
        '"Stop!" he said. |"Why?" she asked.',
        "It costs 3.50 dollars. |Buy it.",
        "He is 12. |She is 13.",
        "Wait... what? |Yes.",
        "Well… |Maybe.",
        "Apples, pears, etc. were sold. |The end.",
        "See Fig. 3 for this. |It is clear.",
        "He said e.g. Tom is here. |Fine.",
        "Hello!|How are you?",
        "Visit example.com. |It is good.",
        "(It rains.) |We stay.",
        "Élise came. |Ángel left. |Österreich won.",
        "Really?! |Yes!",
        "Dr. Müller, J. Smith and Prof. Xu met.",
        "It costs 3.50 euros... |Really",
        "no capital. here",
        "He left at 9 a.m. Tom stayed.",
    ],
    "de": [
        "Am 3. Mai kam er. |Sie ging.",
        "Der 2. Weltkrieg war lang. |Er endete 1945.",
        "Er ist 12. |Sie ist 13.",
        "Das ist z.B. Tom. |Er lacht.",
        "Das ist z. B. Tom. |Er lacht.",
        "Dr. Müller wohnt in der Goethestr. 5. |Er ist Arzt.",
        "Hunde, Katzen usw. |Das reicht.",
        "Ludwig XIV. König von Frankreich lebte. |Er starb.",
        "„Halt!“ |Er blieb stehen.",
        "Über uns. |Äpfel sind gut.",
        "Nr. 7 gewann. |Bravo!",
        "Im 19. Jahrhundert war das so. |Heute nicht.",
        "Wirklich? |Ja.",
        "Sie kam ca. 1990. |Dann ging sie.",
        "Am 3. Mai kam er. |Äpfel, z. B. rote.",
    ],
    "fr": [
        "M. Dupont est là. |Mme Durand aussi.",
        "Il dit : « Bonjour. » |Elle répond.",
        "C'est fini ! |Étienne part.",
        "Ça va ? |Oui.",
        "Des pommes, etc. |Il en veut.",
        "Où est-il ? |À Paris.",
    ],
    "es": [
        "El Sr. López vino. |¿Qué quiere?",
        "¡Hola! |¿Cómo estás? |Bien.",
        "Vive en la Avda. Libertad. |Es grande.",
        "No sé. |«Quizás» dijo.",
        "Ud. es amable. |Gracias.",
        "Llueve… |Él espera.",
    ],
    "ru": [
        "Это дом. |Он большой.",
        "Я живу на ул. Ленина. |Там хорошо.",
        "А. С. Пушкин писал. |Мы читаем.",
        "Где ты? |Я тут!",
        "Яблоки, груши и т.д. |Он купил всё.",
    ],
    "zh": [
        "今天下雨。|我在家。",
        "你好！|你好吗？|很好。",
        "他说：“走吧。”|我们走了。",
        "等等……|好的。",
    ],
    "ja": [
        "犬が走る。|猫が寝る。",
        "「行こう。」と彼は言った。",
        "本当？|はい！",
    ],
    "ar": [
        "هل أنت هنا؟ |نعم.",
        "هذا بيت. |هو كبير.",
        "اذهب! |الآن.",
    ],
    "el": [
        "Πού είσαι; |Εδώ είμαι.",
        "Ήρθε ο Άρης. |Έφυγε η Εύα.",
    ],
    "hi": [
        "यह घर है। |वह बड़ा है।",
    ],
    "ur": [
        "یہ گھر ہے۔ |وہ بڑا ہے۔",
    ],
    "tr": [
        "İyi misin? |Şimdi gel. |Çok iyi.",
    ],
    "": [
        "One is here. |Two is there.",
    ],
}
ROWS = [(language, text) for language, texts in GOLDEN.items() for text in texts]


@pytest.mark.parametrize(("language", "marked"), ROWS)
def test_sentences_end_where_a_reader_ends_them(language, marked):
    text = marked.replace("|", "")
    found = [text[start:end] for start, end in sentence_spans(text, language)]
    assert found == [part.strip() for part in marked.split("|")]


def test_an_ordinal_is_german_only():
    text = "Er kam am 3. Juni. Der 2. Lauf war kurz."
    assert len(sentence_spans(text, "de")) == 2
    assert len(sentence_spans("He is on page 3. June is here.", "en")) == 2


@pytest.mark.parametrize("text", ["", " ", "\u3000", "...", "!", "\u3002"])
def test_what_has_no_words_is_no_trouble(text):
    spans = sentence_spans(text, "en")
    assert [text[start:end] for start, end in spans] == ([text] if text.strip() else [])


def test_spans_leave_out_nothing_but_space():
    for language, marked in ROWS:
        text = marked.replace("|", "")
        spans = sentence_spans(text, language)
        ends = [0, *(end for _, end in spans)]
        assert all(not text[end:start].strip() for end, (start, _) in zip(ends, spans, strict=False))
        assert not text[ends[-1] :].strip()
