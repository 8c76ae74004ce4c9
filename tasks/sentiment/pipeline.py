"""Text classes, step by step: text, tokens, network, calibrated probabilities."""

from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from data import catalogue, sources
from data.builtin import sets
from data.columns import Names
from data.holdout import holdout_split
from data.labels import plain_label, relabelled_splits
from data.splits import DataError, Example, Examples, Splits
from data.texts.labelled_texts import all_texts, labelled_texts
from tasks.engine.task import TEXT, Answer, Pipeline, Task, table_format
from tasks.sentiment.classify import branch_scores, class_probabilities, word_weights
from tasks.sentiment.codec import Codec
from tasks.sentiment.config import LIMITS, SOURCES, Config
from tasks.sentiment.reading import REMARKS, Reading, limits, warn_of_unknown_words
from tasks.sentiment.score import score
from tasks.toolbox import calibration
from tasks.toolbox.joined import joined_splits
from tasks.toolbox.labels import aligned_examples, class_answers

OPINIONS = "opinions"  # embedded data beside `builtin`
COLUMNS = {  # of a table, and the names that they may have
    "text": ("text", "sentence", "review", "content", "comment", "tweet", "document", "body", "message", "reviewText"),
    "label": ("label", "labels", "class", "sentiment", "category", "polarity", "target", "stars", "rating"),
}


def load(config: Config) -> Splits:
    """Return the splits: examples with a `text` and a `label`, the class name.

    Those of several sets are those of `joined_splits`; their labels are read as classes of the first set.

    Raises:
        FileNotFoundError, DataError, UnavailableError: The data is missing, invalid or unavailable.
    """
    names = config.label_names()
    if len(sources.joined_places(config.data)) == 1:
        return relabelled_splits(set_splits(config), names)
    classes, unused = list[str](), {*names}

    def read(one: Config) -> Splits:
        splits = set_splits(one)
        if one.test and Path(one.test).exists():  # its other parts are read later; it is aligned when it is scored
            return relabelled_splits(splits, names)
        labels = {plain_label(example["label"]) for part in splits for example in part}
        own = {label: name for label, name in names.items() if plain_label(label) in labels}
        unused.difference_update(own)
        splits = relabelled_splits(splits, own)
        if not classes:
            classes.extend(sorted({example["label"] for part in splits for example in part}))
        rows = iter(aligned_examples([example for part in splits for example in part], classes, "the first set"))
        return Splits(*(list(islice(rows, len(part))) for part in splits))  # aligned at once, so that it is said once

    splits = joined_splits(config, read)
    if classes and unused:
        raise DataError(f"No set has the label {min(unused)!r}, which --labels names.")
    return splits


def set_splits(config: Config) -> Splits:
    """Return the splits of one set."""
    return sources.splits(
        config.data,
        config.test,
        builtin=partial(builtin_splits, config),
        files=partial(own_splits, config),
        named=partial(catalogue_splits, config),
        examples=partial(all_examples, config),
        part=partial(named_part, config),
    )


def builtin_splits(config: Config) -> Splits:
    """Return the splits of the embedded reviews."""
    return paired_splits(config, *sets.reviews())


def paired_splits(config: Config, train: Examples, test: Examples) -> Splits:
    """Return the splits of examples that come in pairs; the two of a pair stay together."""
    pairs = [{"pair": pair} for pair in zip(train[::2], train[1::2], strict=True)]
    parts = holdout_split(pairs, config.valid, config.seed)
    kept, held = ([review for pair in part for review in pair["pair"]] for part in parts)
    return Splits(kept, held, test)


def opinion_splits(config: Config) -> Splits:
    """Return the splits of the embedded opinions: composed and written ones for training, written ones for testing."""
    written, test = sets.opinions()
    train, valid = holdout_split(written, config.valid, config.seed)
    composed = paired_splits(config, sets.composed_opinions(), [])
    return Splits([*composed.train, *train], [*composed.valid, *valid], test)


def own_splits(config: Config, path: str) -> Splits:
    """Return the splits of the user's own files."""
    return labelled_texts(Path(path), COLUMNS, table_format(config), config.valid, config.seed)


def all_examples(config: Config, path: Path) -> Examples:
    """Return all texts in the user's own files, to test on."""
    return all_texts(path, COLUMNS, table_format(config))


def catalogue_columns(config: Config) -> Names:
    """Return the names that the columns of a catalogue data set may have; those that the user gave count alone."""
    return COLUMNS | {field: (name,) for field, name in config.column_names().items()}


def catalogue_splits(config: Config, name: str) -> Splits:
    """Return the splits of a catalogue data set, or of `opinions`."""
    if name == OPINIONS:
        return opinion_splits(config)
    found = catalogue.read(name, ("train", "test"), catalogue_columns(config), config.data_dir)
    train, test = (list(map(text_example, found[part])) for part in ("train", "test"))
    return Splits(*holdout_split(train, config.valid, config.seed), test)


def named_part(config: Config, part: str) -> Examples | None:
    """Return another split of the data by name, or `None` if there is none."""
    if config.data == OPINIONS:
        return None
    found = sources.catalogue_part(config.data, part, catalogue_columns(config), config.data_dir)
    return None if found is None else list(map(text_example, found))


def text_example(row: Example) -> Example:
    """Return an example with the text and the label of a catalogue row."""
    return {"text": str(row["text"]), "label": str(row["label"])}


def calibrate(pipeline: Pipeline[Config], splits: Splits) -> Codec:
    """Return the codec with the branch weights that maximize the likelihood of the validation labels."""
    codec: Codec = pipeline.codec
    texts = codec.readings(example["text"] for example in splits.valid)
    warn_of_unknown_words(texts, "validation")
    found = branch_scores(pipeline, [text.tokens for text in texts])
    labels = np.array([codec.labels[example["label"]] for example in splits.valid])
    return codec.with_weights([round(float(weight), 6) for weight in calibration.branch_weights(found, labels)])


def predict(pipeline: Pipeline[Config], inputs: Iterable[Reading]) -> list[Answer]:
    """Return for each text its `label`, its `probability`, and the `probabilities` of all classes.

    * `cut` is true where a text is longer than what is read of it.
    * `confident` is false where most of its words are unknown.
    * With `explain` there are also `words`: each word that is read, with its share in the log-odds of the label.
    """
    codec = pipeline.codec
    texts = list(inputs)
    if not texts:
        return []
    chances = class_probabilities(pipeline, [text.tokens for text in texts])
    answers = class_answers(codec.classes, chances)
    answers = [answer | limits(text) for answer, text in zip(answers, texts, strict=True)]
    if pipeline.config.explain:
        answers = [
            answer | word_weights(pipeline, text.text, answer) for text, answer in zip(texts, answers, strict=True)
        ]
    return answers


TASK = Task(
    name="sentiment",
    accepts=TEXT,
    sources=SOURCES,
    limits=LIMITS,
    remarks=REMARKS,
    config=Config,
    columns=lambda config: COLUMNS,
    load=load,
    codec=Codec,
    predict=predict,
    score=score,
    terms=lambda pipeline: {"classes": sorted(pipeline.codec.classes)},
    calibrate=calibrate,
)
