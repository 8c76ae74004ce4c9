"""Documents to answers: the translations of their sentences, put back into what stands around and inside them."""

import html
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from data.texts.word_tables import SMALL, SPACELESS, words_of
from tasks.engine.config import JsonObject
from tasks.engine.task import Pipeline
from tasks.toolbox.search import Hypothesis
from tasks.translate.clauses import Clause
from tasks.translate.confidence import clause_values
from tasks.translate.config import Config
from tasks.translate.decode import attention_alignment, attention_rows
from tasks.translate.document import Document, Inset, Sentence
from tasks.translate.insets import inset_offsets, text_with_insets
from tasks.translate.letter_case import cased
from tasks.translate.lost_items import lasting_hypotheses, missing_texts

STOPS = ".\u3002"
HALTS = ",;:\uff0c\u3001\uff1b\uff1a\u060c\u061b"


class Written(NamedTuple):
    """A clause with its translations, best first.

    Attributes:
        insets: What stood inside it, with the place of each in the best translation.
    """

    clause: Clause
    hypotheses: Sequence[Hypothesis]
    insets: Sequence[tuple[Inset, int]]


def document_answers(pipeline: Pipeline[Config], documents: Sequence[Document]) -> list[JsonObject]:
    """Return the answer to each document; sentences of all of them share batches."""
    sentences = [sentence for document in documents for sentence in document.sentences]
    clauses = [clause for sentence in sentences for clause in sentence.clauses]
    written = iter(written_sentences(pipeline, sentences, lasting_hypotheses(pipeline, clauses)))
    return [document_answer(pipeline, each, [next(written) for _ in each.sentences]) for each in documents]


def written_sentences(
    pipeline: Pipeline[Config], sentences: Sequence[Sentence], found: Sequence[Sequence[Hypothesis]]
) -> list[list[Written]]:
    """Return the clauses of each sentence with their translations; the attention says where its insets go."""
    owners = [(sentence, number) for sentence in sentences for number in range(len(sentence.clauses))]
    own = [[inset for inset in sentence.insets if inset.clause == number] for sentence, number in owners]
    marked = [place for place, insets in enumerate(own) if insets]
    rows = [owners[place][0].clauses[owners[place][1]].tokens for place in marked]
    attention = attention_rows(pipeline, rows, [found[place][0].tokens for place in marked])
    offsets = {
        place: inset_offsets(pipeline.codec, own[place], row, found[place][0].tokens, weights)
        for place, row, weights in zip(marked, rows, attention, strict=True)
    }
    clauses = iter(
        Written(sentence.clauses[number], found[place], list(zip(own[place], offsets.get(place, []), strict=True)))
        for place, (sentence, number) in enumerate(owners)
    )
    return [[next(clauses) for _ in sentence.clauses] for sentence in sentences]


def document_answer(pipeline: Pipeline[Config], document: Document, written: Sequence[Sequence[Written]]) -> JsonObject:
    """Return the answer to a document, given its sentences with their translations."""
    texts = (
        sentence_text(pipeline, *each, document.is_escaped) for each in zip(document.sentences, written, strict=True)
    )
    spaced = document.spaced_parts() if pipeline.codec.languages[1] not in SPACELESS else document.parts
    found = "".join(part if isinstance(part, str) else next(texts) for part in spaced)
    clauses = [clause for sentence in written for clause in sentence]
    scores = [clause.hypotheses[0].score for clause in clauses] or [0.0]
    answer: JsonObject = {"translation": found, "score": round(float(np.mean(scores)), 6)}
    if limits := pipeline.codec.limits:
        values = (clause_values(pipeline, each.clause.tokens, each.hypotheses[0]) for each in clauses)
        answer["confident"] = all(limits.hold(*value) for value in values)
    if document.cut:
        answer["cut"] = document.cut
    texts = (pipeline.codec.pieces.text(each.hypotheses[0].tokens) for each in clauses)
    missing = [
        one
        for each, text in zip(clauses, texts, strict=True)
        for one in missing_texts(pipeline.codec, each.clause, text)
    ]
    if missing:
        answer["missing"] = missing
    if pipeline.config.n_best > 1 or pipeline.config.alignment_file:
        pairs = zip(document.sentences, written, strict=True)
        answer["sentences"] = [details for pair in pairs for details in sentence_details(pipeline, *pair)]
    return answer


def sentence_text(pipeline: Pipeline[Config], sentence: Sentence, written: Sequence[Written], is_escaped: bool) -> str:
    """Return the translation of a sentence, in its case, with its insets."""
    language = pipeline.codec.languages[1]
    small = words_of(SMALL, language) if sentence.is_small else frozenset[str]()

    def finished(text: str) -> str:
        text = cased(text, sentence.case, small)
        return html.escape(text, quote=False) if is_escaped else text

    texts = joinable_texts(pipeline, written)
    found = [text_with_insets(text, each.insets, finished) for text, each in zip(texts, written, strict=True)]
    return ("" if language in SPACELESS else " ").join(filter(None, found))


def joinable_texts(pipeline: Pipeline[Config], written: Sequence[Written]) -> Iterator[str]:
    """Yield the translation of each clause; inside a sentence without a full stop and a capital at the cut."""
    codec = pipeline.codec
    for number, (clause, hypotheses, _) in enumerate(written):
        text = codec.pieces.text(hypotheses[0].tokens)
        if number < len(written) - 1 and clause.text[-1] not in ".!?\u3002\uff01\uff1f":
            text = text.rstrip(STOPS)
            text += clause.text[-1] if clause.text[-1] in HALTS and text[-1:] not in HALTS else ""
        if number and clause.text[:1].islower() and text:
            first, *others = text.split(" ", 1)
            text = " ".join([codec.usual(first), *others])
        yield text


def sentence_details(
    pipeline: Pipeline[Config], sentence: Sentence, written: Sequence[Written]
) -> Iterator[JsonObject]:
    """Yield the clauses of a sentence with their translations, and with `alignment_file` their alignment."""
    for clause, hypotheses, _ in written:
        texts = [cased(pipeline.codec.pieces.text(one.tokens), sentence.case) for one in hypotheses]
        given = [{"text": text, "score": round(one.score, 6)} for text, one in zip(texts, hypotheses, strict=True)]
        details: JsonObject = {"text": sentence.text if len(written) == 1 else clause.text, "translations": given}
        if pipeline.config.alignment_file:
            details["alignment"] = attention_alignment(pipeline, clause.tokens, hypotheses[0].tokens)
        yield details
