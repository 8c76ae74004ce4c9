"""Translation, step by step: text, sentences, sub-words, network, search."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL.Image import Image

from data import catalogue, sources
from data.builtin import sets
from data.columns import Names
from data.holdout import TEST_SEED, holdout_split
from data.splits import Splits
from data.texts.sentence_pairs import all_pairs, sentence_pairs
from tasks.engine.config import SettingError
from tasks.engine.task import TEXT, Answer, Pipeline, Task, table_format
from tasks.toolbox import figures
from tasks.toolbox.joined import joined_splits
from tasks.translate.answers import document_answers
from tasks.translate.codec import Codec
from tasks.translate.confidence import validation_limits
from tasks.translate.config import LIMITS, SOURCES, Config
from tasks.translate.document import Document
from tasks.translate.languages import language_pair
from tasks.translate.score import score

LOG = logging.getLogger("tasks")
REMARKS = {  # on marks of answers
    "cut": "{count:,} of {total:,} texts have sentences longer than --max-length; these are translated part by part.",
    "confident": "{count:,} of {total:,} texts are unlike the validation data; their translations are guesses.",
    "missing": "{count:,} of {total:,} translations lack a name or number of their text; their answers name it.",
}


def load(config: Config) -> Splits:
    """Return the splits: examples with a `text` and its `translation`; of several sets, those of `joined_splits`.

    Raises:
        FileNotFoundError, DataError, UnavailableError: The data is missing, invalid or unavailable.
    """
    if len(sources.joined_places(config.data)) == 1:
        return set_splits(config)
    source, target = language_pair(config)
    return joined_splits(replace(config, source=source, target=target), set_splits)


def set_splits(config: Config) -> Splits:
    """Return the splits of one set."""
    return sources.splits(
        config.data,
        None if names_own_file(config) else config.test,
        builtin=partial(builtin_splits, config),
        files=partial(own_splits, config),
        named=partial(catalogue_splits, config),
        examples=lambda path: all_pairs(path, *language_pair(config), table_format(config)),
        part=lambda part: sources.catalogue_part(config.data, part, columns(config), config.data_dir),
    )


def names_own_file(config: Config) -> bool:
    """Return whether `test` names one of the user's own files, which `own_splits` reads."""
    own = config.data != "builtin" and not sources.is_in_catalogue(config.data)
    return own and config.test is not None and not Path(config.test).exists()


def columns(config: Config) -> Names:
    """Return the names of the column of each field of an example."""
    source, target = language_pair(config)
    return {
        "text": (source, f"translation/{source}", "text", "source", "src", "sentence"),
        "translation": (target, f"translation/{target}", "translation", "target", "tgt", "reference"),
    }


def builtin_splits(config: Config) -> Splits:
    """Return the splits of the embedded sentences."""
    source, target = language_pair(config)
    if {source, target} != {"en", "de"}:
        raise SettingError(f"The embedded sentences are in 'en' and 'de'; received {source!r} and {target!r}.")
    train, test = ([{"text": row[source], "translation": row[target]} for row in rows] for rows in sets.pairs())
    return Splits(*holdout_split(train, config.valid, config.seed), test)


def own_splits(config: Config, path: str) -> Splits:
    """Return the splits of the user's own files; `test` may name one of them."""
    test = config.test if names_own_file(config) else None
    source, target = language_pair(config)
    splits = sentence_pairs(Path(path), source, target, table_format(config), config.valid, config.seed, test)
    if not (config.source or config.target):
        LOG.warning("%s is read from %r to %r; --source and --target name others.", Path(path).name, source, target)
    return splits


def catalogue_splits(config: Config, name: str) -> Splits:
    """Return the splits of a catalogue data set."""
    found = catalogue.read(name, ("train",), columns(config), config.data_dir, optional=("validation", "test"))
    train, test = (found["train"], found["test"]) if "test" in found else holdout_split(found["train"], 0.1, TEST_SEED)
    if "validation" in found:
        return Splits(train, found["validation"], test)
    return Splits(*holdout_split(train, config.valid, config.seed), test)


def predict(pipeline: Pipeline[Config], inputs: Iterable[Document]) -> list[Answer]:
    """Return the `translation` of each text, with its `score`.

    * A text is translated sentence by sentence; what stands around the sentences and inside them is kept.
    * `score` is the mean over sentences of the log-probability, divided by the length penalty.
    * `confident` is false for a guess: less probable, or of stranger words, than the validation examples.
    * `cut` is the number of parts that over-long sentences are cut into; it is there only if there are any.
    * `missing` are the names and numbers of the text that the translation lacks; it is there only if it lacks any.
    * With `n_best` above 1 or `alignment_file` there are `sentences`, each with its `translations`, best first.
    * With `alignment_file` each sentence has its `alignment`: the attention of each target sub-word to the source.
    """
    return document_answers(pipeline, list(inputs))


def calibrate(pipeline: Pipeline[Config], splits: Splits) -> Codec:
    """Return the codec with the limits that validation examples show, for telling guesses."""
    codec: Codec = pipeline.codec
    return codec.with_limits(validation_limits(pipeline, splits.valid))


def draw(pipeline: Pipeline[Config], document: Document, answer: Answer) -> Iterator[tuple[str, Path, Image]]:
    """Yield the alignment of each sentence of an answer, if `alignment_file` asks for it."""
    if pipeline.config.alignment_file:
        for sentence in answer.get("sentences", []):
            yield "alignment_file", pipeline.config.alignment_file, figures.alignment_panels([sentence["alignment"]])


TASK = Task(
    name="translate",
    accepts=TEXT,
    sources=SOURCES,
    limits=LIMITS,
    remarks=REMARKS,
    config=Config,
    columns=columns,
    load=load,
    codec=Codec,
    predict=predict,
    score=score,
    terms=lambda pipeline: {"languages": list(pipeline.codec.languages)},
    calibrate=calibrate,
    draw=draw,
)
