"""Scores of translations against references."""

import time
from collections.abc import Sequence

from PIL.Image import Image

from data.splits import Examples
from data.texts.text import clean_text
from tasks.engine.task import Pipeline, Report
from tasks.toolbox import figures, metrics
from tasks.toolbox.search import Hypothesis
from tasks.translate.config import Config
from tasks.translate.decode import Tokens, attention_alignment, beam_hypotheses

ANSWER_COUNT = 200  # answers kept, and sentences timed
ALIGNMENT_COUNT = 6  # alignments in a figure
SHORT = 20  # sub-words that such a sentence stays below


def score(pipeline: Pipeline[Config], examples: Examples) -> Report:
    """Return BLEU and chrF with their intervals, lower-cased BLEU, length ratio, and sentences per second."""
    codec = pipeline.codec
    rows = [codec.numbers(example["text"]) for example in examples]
    found = beam_hypotheses(pipeline.with_settings(n_best=1), rows)
    answers = [codec.pieces.text(hypotheses[0].tokens) for hypotheses in found]
    truth = [clean_text(example["translation"]) for example in examples]
    beams = {"greedy": 1, "beam5": 5}
    rates = {
        f"{name}_per_second": sentences_per_second(pipeline, rows[:ANSWER_COUNT], beam) for name, beam in beams.items()
    }
    return Report(
        metrics=metrics.translation_metrics(answers, truth) | rates,
        answers=[
            {"input": example["text"], "answer": {"translation": answer}, "reference": example["translation"]}
            for example, answer in list(zip(examples, answers, strict=True))[:ANSWER_COUNT]
        ],
        figures={
            "lengths": lambda: figures.bleu_by_length(answers, truth, list(map(len, rows))),
            "alignments": lambda: alignment_sheet(pipeline, rows, found),
        },
    )


def alignment_sheet(pipeline: Pipeline[Config], rows: Sequence[Tokens], found: Sequence[Sequence[Hypothesis]]) -> Image:
    """Return the alignments of some short sentences and their best translations, as one picture."""
    short = [index for index, row in enumerate(rows) if len(row) < SHORT][:ALIGNMENT_COUNT]
    return figures.alignment_panels([attention_alignment(pipeline, rows[i], found[i][0].tokens) for i in short])


def sentences_per_second(pipeline: Pipeline[Config], rows: Sequence[Tokens], beam: int) -> float:
    """Return the number of sentences translated per second with a beam."""
    start = time.perf_counter()
    beam_hypotheses(pipeline.with_settings(beam=beam, n_best=1), rows)
    return round(len(rows) / (time.perf_counter() - start), 1)
