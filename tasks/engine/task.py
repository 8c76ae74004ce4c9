"""What a task is, what it takes, and what training gives: the whole protocol between a task and the engine."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, Self, TypeVar, runtime_checkable

import numpy as np

from data.columns import Names
from data.pictures.files import LoadedImage, MemoryFile, ZipMember, folder_photos
from data.splits import DataError, Example, Examples, Splits
from data.tables import TableFormat
from tasks.engine import files, runs
from tasks.engine.config import JsonObject, Settings, TaskConfig
from tasks.engine.measure import Measure
from tasks.engine.network import Network
from tasks.engine.records import read_history

if TYPE_CHECKING:
    import keras
    from PIL.Image import Image

LOG = logging.getLogger("tasks")
C = TypeVar("C", bound=TaskConfig)
Raw = Any  # an input of a task: a text, or a picture as a file, its content, an array or an image of Pillow
Answer = Any  # JSON types, but for pictures
Arrays = Any  # one array, or several in the nesting that a network reads


@runtime_checkable
class Array(Protocol):
    """An array, a column of a data frame, or a data frame."""

    @property
    def ndim(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...


@dataclass(frozen=True, kw_only=True)
class Input:
    """A kind of input: how it is found on the command line, and how a bad one is refused.

    Attributes:
        field: Name of the input in an example, and of its column in a table.
        types: Python types that an input may have.
        stacked: If true, an array of three or four axes is several inputs.
        expand: Turns a word of the command line into inputs, such as a folder into its pictures.
        refusal: What to say of anything else.
    """

    field: str
    types: tuple[type, ...]
    stacked: bool
    expand: Callable[[str], Iterable[str]]
    refusal: str

    def input_list(self, inputs: Iterable[Raw]) -> list[Raw]:
        """Return inputs as a list.

        Raises:
            TypeError: A single input, or a table, is given where several inputs are expected.
            DataError: One of them is missing, or is not an input of this kind.

        Example:
            >>> TEXT.input_list(iter(["A film.", None]))
            Traceback (most recent call last):
            data.splits.DataError: Input 1 is missing (None); a text must be a string.
        """
        single = isinstance(inputs, str | bytes | Path | Mapping | LoadedImage)
        if single or (isinstance(inputs, Array) and not self.is_list(inputs)):
            kind = repr(inputs) if isinstance(inputs, str | Path) else f"a {type(inputs).__name__}"
            raise TypeError(f"`inputs` must be a list of inputs; received {kind}, which is a single input or a table.")
        found = list(inputs)
        for place, item in enumerate(found):
            self.check(item, f"Input {place}")
        return found

    def is_list(self, inputs: Array) -> bool:
        """Return whether an array, or a column of a data frame, holds several inputs."""
        single = inputs.ndim == 3 and inputs.shape[2] in (3, 4)  # colours of one picture
        return inputs.ndim in ((1, 3, 4) if self.stacked else (1,)) and not single

    def check(self, item: Raw, place: str) -> None:
        """Raise `DataError` unless an input is of this kind."""
        if isinstance(item, self.types):
            return
        missing = item is None or (isinstance(item, float) and isnan(item))
        raise DataError(f"{place} is {f'missing ({item})' if missing else repr(item)}; {self.refusal}.")


TEXT = Input(field="text", types=(str,), stacked=False, expand=lambda word: [word], refusal="a text must be a string")
IMAGE = Input(
    field="image",
    types=(str, bytes, Path, ZipMember, MemoryFile, np.ndarray, LoadedImage),
    stacked=True,
    expand=lambda word: map(str, folder_photos(Path(word))) if word.strip() and Path(word).is_dir() else [word],
    refusal="a picture must be a path, the content of a file, an image of Pillow or a uint8 array",
)


class Codec(ABC):
    """Turn raw examples into arrays; what it learnt from training examples travels with the model as JSON.

    The first six methods are required. The others are hooks with defaults that suit examples of one size. Mark an
    own version of a hook with `typing_extensions.override`: a misspelt one is a type error then.
    """

    @classmethod
    @abstractmethod
    def learn(cls, config: Any, train: Examples) -> Self:
        """Return a codec for these training examples."""

    @classmethod
    @abstractmethod
    def restore(cls, config: Any, state: JsonObject) -> Self:
        """Return the codec with this `state`."""

    @abstractmethod
    def state(self) -> JsonObject:
        """Return what was learnt, as JSON types."""

    @abstractmethod
    def read(self, raw: Raw) -> Any:
        """Return one raw input as `inputs` takes it.

        Raises:
            DataError, FileNotFoundError: There can be no answer for it.
        """

    @abstractmethod
    def inputs(self, read: Sequence[Any]) -> Arrays:
        """Return inputs, as `read` returns them, as the arrays that the network reads."""

    @abstractmethod
    def encode(self, examples: list[Example], random: np.random.Generator | None = None) -> tuple[Arrays, ...]:
        """Return `(x, y)` or `(x, y, weights)`; with `random`, augmented as in training."""

    def for_training(self, train: Examples) -> Self:
        """Return the codec with what it needs of the training examples in training alone (default: nothing)."""
        return self

    @classmethod
    def adapt(cls, config: Any, earlier: Self, train: Examples) -> Self:
        """Return a codec for these training examples that keeps what that of an earlier run has learnt.

        By default it learns anew.
        """
        return cls.learn(config, train)

    def places(self, earlier: Self) -> list[int] | None:
        """Return the number here of each token of an earlier codec (default: `None`, all are the same)."""
        return None

    def settled(self, config: Any) -> Any:
        """Return the config with settings that follow from the training examples (default: unchanged)."""
        return config

    def vary(self, example: Example, random: np.random.Generator) -> Example:
        """Return another version of an example for each epoch (default: the example)."""
        return example

    def turns(self, example: Example) -> int:
        """Return how many times an epoch visits the example (default 1)."""
        return 1

    def bucket(self, example: Example) -> int:
        """Return the bucket of an example: examples with the same number are batched together (default 0)."""
        return 0

    def cost(self, bucket: int) -> int:
        """Return the cost of an example of a bucket; batches have about equal cost (default 1)."""
        return 1


class Signature(NamedTuple):
    """What the arrays of a signature are, in a few words each.

    Attributes:
        inputs: By name; inputs `state_0`, `state_1` and so on share an entry `state`.
        outputs: In order; the last is that of all further ones too.
    """

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class KerasPart(Generic[C]):
    """What training needs of `tasks.<name>.network`, in the order in which it asks.

    Attributes:
        build: Return the compiled model to train.
        load: Load what a new model has from elsewhere, such as the weights of a frozen encoder.
        prepare: Return splits whose examples may carry features computed by a frozen part of the model; the last
            argument says whether to draw a progress bar.
        follow: Change the loss between epochs, given the share of the training that is done, in [0, 1); return
            whether it changed.
        signatures: Return the models to use by name; they share the weights of the trained one.
        arrays: What their inputs and outputs are, by name, for whoever exports them.
    """

    build: Callable[[C, Any], keras.Model]
    load: Callable[[keras.Model, C], None] | None = None
    prepare: Callable[[keras.Model, C, Splits, bool], Splits] | None = None
    follow: Callable[[keras.Model, float], bool] | None = None
    signatures: Callable[[keras.Model], Mapping[str, keras.Model]]
    arrays: Mapping[str, Signature] = field(default_factory=dict)


class Report(NamedTuple):
    """What scoring a split gives."""

    metrics: JsonObject | None  # JSON types; the task's main metric first; `None` if scoring failed
    answers: list[JsonObject]  # some inputs with answers and references, as JSON types
    figures: dict[str, Callable[[], Image]]  # drawn when they are written
    measures: Callable[[], Sequence[Measure]] = tuple  # what two runs are compared by; the main metric first
    entry: Callable[[int], JsonObject] | None = None  # of any scored example, as those of `answers`


@dataclass(frozen=True, kw_only=True)
class Task(Generic[C]):
    """What the engine needs to know of a task, in the order in which it asks.

    The Keras part stands apart, as `NETWORK` in `tasks.<name>.network`, so that a prediction need not load it.

    Attributes:
        accepts: Kind of its inputs.
        sources: Data sets by name, and folders as `name/`: what they are, and their licence.
        limits: What the answers are not good for, in a sentence or two.
        columns: Return, for each field of an example, the names that its column in a table may have.
        load: Return the raw splits of the data that a config names.
        remarks: What to say of answers with a mark, such as `cut`, by the name of the mark: a sentence with `{count}`
            and `{total}`. The mark `confident` counts if it is false, any other if it is true.
        predict: Return an answer for each input that the codec has read, without side effects. Answers carry numbers;
            their first entry is the bare answer.
        score: Return the task's metrics on raw examples.
        terms: Return what a score depends on beside the examples, such as the classes, by name; runs of other terms
            are not compared.
        calibrate: Return a better codec after fitting, by training and validation examples.
        draw: Yield the pictures of one answer that the settings ask for, each after its setting and the file
            to write; it gets the input as the codec has read it.
        write: Where answers are files: write the answer of one input into a file or a folder, perhaps with a progress
            bar; return what the command line shows of it, the file first.
        originals: Where answers are files: yield the inputs that a file could be the answer of, by its name. Beside one
            of them it is not an input itself.
    """

    name: str
    accepts: Input
    sources: Mapping[str, str]
    limits: str
    config: type[C]
    columns: Callable[[C], Names]
    load: Callable[[C], Splits]
    codec: type[Codec]
    predict: Callable[[Pipeline[C], Iterable[Any]], list[Answer]]
    score: Callable[[Pipeline[C], Examples], Report]
    remarks: Mapping[str, str] = field(default_factory=dict)
    terms: Callable[[Pipeline[C]], Settings] = field(default=lambda pipeline: {})
    calibrate: Callable[[Pipeline[C], Splits], Codec] | None = None
    draw: Callable[[Pipeline[C], Any, Answer], Iterator[tuple[str, Path, Image]]] | None = None
    write: Callable[[Pipeline[C], str, Path | None, bool], Answer] | None = None
    originals: Callable[[str], Iterable[str]] | None = None


@dataclass(frozen=True)
class Pipeline(Generic[C]):
    """A task with a network: raw input in, raw answer out.

    Attributes:
        run: Directory that keeps all of it.
        wanted: Settings that selected the run, so that another may answer for inputs that it suits better; `None` if
            the run was named.
        others: Pipelines of other runs that have answered so, by run.
    """

    task: Task[C]
    config: C
    codec: Any
    network: Network
    run: Path
    wanted: JsonObject | None = None
    others: dict[Path, Pipeline[C]] = field(default_factory=dict, repr=False, compare=False)

    def predict(self, inputs: Iterable[Raw]) -> list[Answer]:
        """Return an answer for each raw input: of a list, a generator, an array or a column of a data frame.

        Raises:
            TypeError: A single input, or a table, is given where several inputs are expected.
            DataError, FileNotFoundError: An input is missing, of another kind, or cannot be read.
        """
        found = self.task.accepts.input_list(inputs)
        answers = self.task.predict(self, (self.codec.read(item) for item in found))
        say_remarks(self.task, mark_counts(self.task, answers), len(answers))
        return answers

    def draw(self, read: Any, answer: Answer) -> dict[str, list[str]]:
        """Write the pictures of one answer that the settings ask for, and return their files by setting."""
        made: dict[str, list[str]] = {}
        for name, path, picture in self.task.draw(self, read, answer) if self.task.draw else ():
            made.setdefault(name, []).append(str(files.write_new(path, picture)))
        return made

    def score(self, examples: Examples) -> Report:
        """Return the task's metrics on raw examples."""
        return self.task.score(self, examples)

    @property
    def validation(self) -> dict[str, float]:
        """Loss and metrics of the kept epoch on the validation split."""
        history = read_history(self.run)
        row = runs.kept_epoch(history, self.config) if history else {}
        return {name.removeprefix("val_"): value for name, value in row.items() if name.startswith("val_")}

    def with_settings(self, **settings: Any) -> Pipeline[C]:
        """Return the same pipeline with other settings, of those that may change after training."""
        config = self.config.with_settings(settings)
        return replace(self, config=config, codec=type(self.codec).restore(config, self.codec.state()), others={})


def mark_counts(task: Task[C], answers: Iterable[Answer]) -> Counter[str]:
    """Return how many answers have each mark that the task remarks on."""
    return Counter(
        name
        for answer in answers
        for name in task.remarks
        if name in answer and bool(answer[name]) != (name == "confident")
    )


def say_remarks(task: Task[C], counts: Mapping[str, int], total: int) -> None:
    """Give one notice for each mark of some answers."""
    for name, count in counts.items():
        LOG.warning("%s", task.remarks[name].format(count=count, total=total))


def table_format(config: TaskConfig) -> TableFormat:
    """Return what a config says of the user's own files."""
    return TableFormat(config.column_names(), config.encoding)
