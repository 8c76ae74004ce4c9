"""Labels as people write them: cleaned, merged, checked, and counted where they are not used."""

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice

from data.splits import DataError, Example, Examples, LazyExamples, Splits

LOG = logging.getLogger("tasks")
SHOWN = 5  # labels in a notice
WHOLE = re.compile(r"^([+-]?\d+)\.0+$")


def cleaned_labels(parts: Splits, name: str) -> Splits:
    """Return parts whose labels are cleaned, with a notice of each change.

    * Blanks around a label are removed; labels that differ by letter case alone become the most frequent of them.
      Single letters stay apart, since `A` and `a` can be two classes.
    * If all labels are whole numbers and some are written `1.0`, they become `1`.
    * Examples without a label are left out.
    * A class that only the training part has is left out if the data has a test part of its own.
    * A test or validation part whose examples share one label that is not in the training part has no labels (`-1`):
      it is not used.

    Args:
        parts: Examples with a `label`; a part may be empty.
        name: What the data is called.
    """
    counts = Counter(example["label"] for part in parts for example in part)
    names = label_names(counts)
    changed = {old: new for old, new in names.items() if old != new and new}
    if changed:
        said = ", ".join(f"{old!r} as {new!r}" for old, new in islice(changed.items(), SHOWN))
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        LOG.warning("%s: labels read as others: %s%s.", name, said, more)
    if empty := sum(count for label, count in counts.items() if not names[label]):
        LOG.warning("%s: %d examples without a label are left out.", name, empty)
    renamed = Splits(*([row | {"label": names[row["label"]]} for row in part if names[row["label"]]] for part in parts))
    return without_alien_classes(without_unlabelled_parts(renamed, name), name)


def label_names(counts: Mapping[str, int]) -> dict[str, str]:
    """Return the name of the class that each label stands for; an empty name for none.

    Args:
        counts: Label as written -> number of examples.

    Example:
        >>> label_names({"Positive": 2, "positive ": 5, "A": 1, "a": 1})
        {'Positive': 'positive', 'positive ': 'positive', 'A': 'A', 'a': 'a'}
    """
    short = {label: unicodedata.normalize("NFC", " ".join(label.split())) for label in counts}
    if all(is_whole_number(label) for label in short.values() if label):
        short = {label: text.removesuffix(".0") for label, text in short.items()}
    totals = Counter[str]()
    for label, text in short.items():
        totals[text] += counts[label]
    best: dict[str, str] = {}
    for text in sorted(totals, key=lambda text: (-totals[text], text)):
        best.setdefault(text.casefold() if len(text) > 1 else text, text)
    return {label: best[text.casefold() if len(text) > 1 else text] for label, text in short.items()}


def is_whole_number(text: str) -> bool:
    """Return whether a text is a whole number, also as `1.0`."""
    return text.removesuffix(".0").lstrip("+-").isdecimal()


def without_unlabelled_parts(parts: Splits, name: str) -> Splits:
    """Return parts without the test or validation part whose single label is not among the training labels."""
    known = {row["label"] for row in parts.train}
    kept = parts._asdict()
    for part in ("valid", "test"):
        labels = {row["label"] for row in kept[part]}
        if known and len(labels) == 1 and len(kept[part]) > 1 and not labels & known:
            LOG.warning(
                "%s: all %d %s examples have the label %r, which no training example has; they are not used.",
                name, len(kept[part]), part, *labels,
            )  # fmt: skip
            kept[part] = []
    return Splits(**kept)


def without_alien_classes(parts: Splits, name: str) -> Splits:
    """Return parts without the classes that only the training part has, if there is a test part to compare with."""
    if not (parts.train and parts.test):
        return parts
    known = {row["label"] for part in (parts.valid, parts.test) for row in part}
    alien = Counter(row["label"] for row in parts.train if row["label"] not in known)
    if len({row["label"] for row in parts.train}) - len(alien) < 2:
        return parts
    for label, count in alien.items():
        LOG.warning("%s: class %r is only in the training part; its %d examples are left out.", name, label, count)
    return parts._replace(train=[row for row in parts.train if row["label"] not in alien])


def relabelled_splits(splits: Splits, names: Mapping[str, str]) -> Splits:
    """Return splits with other names for some labels; examples that are created later are renamed then.

    Args:
        names: Label of the data -> class that it stands for.

    Raises:
        DataError: The data has none of the labels; a notice names one that is missing alone.
    """
    if not names:
        return splits
    return Splits(
        *(
            LazyExamples(partial(relabelled_examples, split, names))
            if isinstance(split, LazyExamples)
            else relabelled_examples(split, names)
            for split in splits
        )
    )


def relabelled_examples(examples: Examples, names: Mapping[str, str]) -> list[Example]:
    """Return examples with other names for some labels, which may differ in blanks and letter case."""
    labels = {example["label"] for example in examples}
    own = {
        label: name for name in names for label in labels if label == name or plain_label(label) == plain_label(name)
    }
    unknown = sorted(names.keys() - set(own.values())) if labels else []
    if unknown:
        said = (
            f"The data has no label {unknown[0]!r}, which --labels names; its labels are: {', '.join(sorted(labels))}."
        )
        if not own:
            raise DataError(said)
        LOG.warning("%s", said)
    return [row | {"label": names[own[row["label"]]]} if row["label"] in own else row for row in examples]


def plain_label(label: str) -> str:
    """Return a label without what people write differently: spaces, case of letters, `1.0` for `1`.

    Example:
        >>> plain_label(" Very  Good "), plain_label("1.0")
        ('very good', '1')
    """
    return WHOLE.sub(r"\1", " ".join(label.split()).casefold())


def check_labels(splits: Splits) -> None:
    """Raise `DataError` unless the training examples have two classes, and all classes of the other splits.

    Data without training examples passes: it can be scored.
    """
    if not splits.train:
        return
    known = sorted({example["label"] for example in splits.train})
    if len(known) < 2:
        raise DataError(f"The training examples have one class only, {known[0]!r}; give at least two.")
    for name, split in (("validation", splits.valid), ("test", splits.test)):
        check_part(split, name, known)


def check_part(split: Sequence[Example], name: str, known: Sequence[str]) -> None:
    """Raise `DataError` if a split has a class that the training examples do not have."""
    for example in split:
        if example["label"] not in known:
            raise DataError(
                f"Class {example['label']!r} is among the {name} examples and not among the training examples: "
                f"{', '.join(known)}."
            )
