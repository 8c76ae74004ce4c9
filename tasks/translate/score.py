"""Scores of translations against references."""

import logging
import time
from collections.abc import Sequence

from PIL.Image import Image

from data.splits import Examples
from data.texts.text import clean_text
from tasks.engine.config import JsonObject
from tasks.engine.task import Pipeline, Report
from tasks.toolbox import figures, metrics
from tasks.toolbox.joined import set_metrics
from tasks.toolbox.measures import translation_measures
from tasks.translate.answers import document_answers
from tasks.translate.clauses import Tokens
from tasks.translate.config import Config
from tasks.translate.decode import attention_alignment, beam_hypotheses
from tasks.translate.document import Document

LOG = logging.getLogger("tasks")

ANSWER_COUNT = 200  # answers kept, and sentences timed
ALIGNMENT_COUNT = 6  # alignments in a figure
SHORT = 20  # sub-words that such a sentence stays below


def score(pipeline: Pipeline[Config], examples: Examples) -> Report:
    """Return BLEU and chrF with their intervals, lower-cased BLEU, length ratio, and sentences per second.

    * Sources are read and translated as by `predict`. `cut` is the number of those with an over-long sentence.
    * Examples with several `references` are scored with all of them.
    * If the examples are of several sets, the scores of each set follow; its name ends theirs: `bleu_tatoeba`.
    """
    codec = pipeline.codec
    documents = [codec.document(example["text"]) for example in examples]
    found = document_answers(pipeline.with_settings(n_best=1, alignment_file=None), documents)
    answers = [clean_text(answer["translation"]) for answer in found]
    truth = [[clean_text(text) for text in example.get("references", [example["translation"]])] for example in examples]
    rows = [[clause.tokens for sentence in each.sentences for clause in sentence.clauses] for each in documents]
    lengths = [sum(map(len, each)) for each in rows]

    def entry(place: int) -> JsonObject:
        example, answer = examples[place], {"translation": answers[place]}
        others = {"references": truth[place]} if len(truth[place]) > 1 else {}
        return {"input": example["text"], "answer": answer, "reference": example["translation"]} | others

    def metrics_of(places: Sequence[int]) -> JsonObject:
        own, references = [answers[place] for place in places], [truth[place] for place in places]
        return metrics.translation_metrics(own, references, language=codec.languages[1])

    whole = metrics_of(range(len(answers)))
    return Report(
        metrics=whole
        | set_metrics([example.get("set") for example in examples], metrics_of, whole)
        | {"cut": cut_count(pipeline, documents)}
        | rates(pipeline, rows),
        answers=list(map(entry, range(min(ANSWER_COUNT, len(answers))))),
        figures={
            "lengths": lambda: figures.bleu_by_length(answers, truth, lengths, language=codec.languages[1]),
            "alignments": lambda: alignment_sheet(pipeline, [each[0] for each in rows if len(each) == 1]),
        },
        measures=lambda: translation_measures(answers, truth, codec.languages[1]),
        entry=entry,
    )


def cut_count(pipeline: Pipeline[Config], documents: Sequence[Document]) -> int:
    """Return the number of sources with an over-long sentence, with a notice."""
    count = sum(bool(document.cut) for document in documents)
    if count:
        longest = pipeline.config.max_length
        LOG.warning("Sources with a sentence of more than %d sub-words, cut into parts: %d.", longest, count)
    return count


def rates(pipeline: Pipeline[Config], rows: Sequence[Sequence[Tokens]]) -> dict[str, float]:
    """Return the number of sentences translated per second, greedily and with a beam."""
    first = [row for each in rows for row in each][:ANSWER_COUNT]
    return {
        f"{name}_per_second": sentences_per_second(pipeline, first, beam)
        for name, beam in {"greedy": 1, "beam5": 5}.items()
    }


def alignment_sheet(pipeline: Pipeline[Config], rows: Sequence[Tokens]) -> Image:
    """Return the alignments of some short sentences and their best translations, as one picture."""
    short = [row for row in rows if len(row) < SHORT][:ALIGNMENT_COUNT]
    found = beam_hypotheses(pipeline.with_settings(n_best=1), short)
    pairs = zip(short, found, strict=True)
    return figures.alignment_panels([attention_alignment(pipeline, row, best.tokens) for row, (best, *_) in pairs])


def sentences_per_second(pipeline: Pipeline[Config], rows: Sequence[Tokens], beam: int) -> float:
    """Return the number of sentences translated per second with a beam."""
    start = time.perf_counter()
    beam_hypotheses(pipeline.with_settings(beam=beam, n_best=1), rows)
    return round(len(rows) / (time.perf_counter() - start), 1)
