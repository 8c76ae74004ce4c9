"""What a task is, what it takes, and what training gives: the whole protocol between a task and the engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypeVar

import numpy as np

from data import tables
from data.pictures.files import MemoryFile, ZipMember, find_photos
from data.splits import DataError, Example, Examples, Splits
from tasks.engine import runs
from tasks.engine.config import JsonObject, TaskConfig
from tasks.engine.network import Network

if TYPE_CHECKING:
    import keras
    from PIL.Image import Image

C = TypeVar("C", bound=TaskConfig)
Raw = Any  # an input of a task: a text, or a picture as a file or an array
Answer = Any  # JSON types, but for pictures
Arrays = Any  # one array, or several in the nesting that a network reads


@dataclass(frozen=True, kw_only=True)
class Input:
    """A kind of input: how it is found on the command line and in files, and how a bad one is refused.

    Attributes:
        field: Name of the input in an example.
        column: Setting that names its column in a table; the config of the task has it.
        types: Python types that an input may have.
        expand: Turns a word of the command line into inputs, such as a folder into its pictures.
        refusal: What to say of anything else.
    """

    field: str
    column: str
    types: tuple[type, ...]
    expand: Callable[[str], Iterable[str]]
    refusal: str

    def input_list(self, inputs: Iterable[Raw]) -> list[Raw]:
        """Return inputs as a list.

        Raises:
            TypeError: A single input is given where several are expected.
            DataError: One of them is not an input of this kind.
        """
        if isinstance(inputs, str | bytes | Path):
            raise TypeError(f"`inputs` must be a list of inputs; received the single input {inputs!r}.")
        found = list(inputs)
        for place, item in enumerate(found):
            if not isinstance(item, self.types):
                raise DataError(f"Input {place} is {item!r}; {self.refusal}.")
        return found


TEXT = Input(
    field="text", column="text_column", types=(str,), expand=lambda word: [word], refusal="a text must be a string"
)
IMAGE = Input(
    field="image",
    column="image_column",
    types=(str, Path, ZipMember, MemoryFile, np.ndarray),
    expand=lambda word: map(str, find_photos(word)[1]) if Path(word).is_dir() else [word],
    refusal="a picture must be a path or a uint8 array",
)


class Codec(ABC):
    """Turn raw examples into arrays; what it learnt from training examples travels with the model as JSON.

    The first five methods are required. The others are hooks with defaults that suit examples of one size. Mark an
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
    def inputs(self, raw: Sequence[Raw]) -> Arrays:
        """Return raw inputs as the arrays that the network reads."""

    @abstractmethod
    def encode(self, examples: list[Example], random: np.random.Generator | None = None) -> tuple[Arrays, ...]:
        """Return `(x, y)` or `(x, y, weights)`; with `random`, augmented as in training."""

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


@dataclass(frozen=True, kw_only=True)
class KerasPart(Generic[C]):
    """What training needs of `tasks.<name>.network`, in the order in which it asks.

    Attributes:
        build: Return the compiled model to train.
        begin: Set first weights, as from another run.
        prepare: Return splits whose examples may carry features computed by a frozen part of the model; the last
            argument says whether to draw a progress bar.
        follow: Change the loss between epochs, given the share of the training that is done, in [0, 1); return
            whether it changed.
        signatures: Return the models to use by name; they share the weights of the trained one.
    """

    build: Callable[[C, Any], keras.Model]
    begin: Callable[[keras.Model, C], None] | None = None
    prepare: Callable[[keras.Model, C, Splits, bool], Splits] | None = None
    follow: Callable[[keras.Model, float], bool] | None = None
    signatures: Callable[[keras.Model], Mapping[str, keras.Model]]


class Report(NamedTuple):
    """What scoring a split gives."""

    metrics: JsonObject  # JSON types; the task's main metric first
    answers: list[JsonObject]  # some inputs with answers and references, as JSON types
    figures: dict[str, Callable[[], Image]]  # drawn when they are written


@dataclass(frozen=True, kw_only=True)
class Task(Generic[C]):
    """What the engine needs to know of a task, in the order in which it asks.

    The Keras part stands apart, as `NETWORK` in `tasks.<name>.network`, so that a prediction need not load it.

    Attributes:
        accepts: Kind of its inputs.
        sources: Data sets by name, and folders as `name/`: what they are, and their licence.
        limits: What the answers are not good for, in a sentence or two.
        load: Return the raw splits of the data that a config names.
        predict: Return an answer for each raw input, without side effects; answers carry numbers.
        score: Return the task's metrics on raw examples.
        calibrate: Return a better codec after fitting, by validation examples.
        draw: Yield the pictures of one answer that the settings ask for, each with the file to write.
        write: Write the answers where they are files, into a file or a folder, perhaps with a progress bar; yield each
            input with what the command line shows of its answer.
    """

    name: str
    accepts: Input
    sources: Mapping[str, str]
    limits: str
    config: type[C]
    load: Callable[[C], Splits]
    codec: type[Codec]
    predict: Callable[[Pipeline[C], Sequence[Raw]], list[Answer]]
    score: Callable[[Pipeline[C], Examples], Report]
    calibrate: Callable[[Pipeline[C], Examples], Codec] | None = None
    draw: Callable[[Pipeline[C], Raw, Answer], Iterator[tuple[Path, Image]]] | None = None
    write: Callable[[Pipeline[C], Sequence[str], Path | None, bool], Iterator[tuple[str, Answer]]] | None = None

    def __post_init__(self) -> None:
        if self.accepts.column not in {field.name for field in fields(self.config)}:
            raise TypeError(f"The config of task {self.name!r} lacks the setting {self.accepts.column!r}.")


@dataclass(frozen=True)
class Pipeline(Generic[C]):
    """A task with a network: raw input in, raw answer out.

    Attributes:
        run: Directory that keeps all of it.
    """

    task: Task[C]
    config: C
    codec: Any
    network: Network
    run: Path

    def predict(self, inputs: Iterable[Raw]) -> list[Answer]:
        """Return an answer for each raw input.

        Raises:
            TypeError: A single input is given where several are expected.
            DataError, FileNotFoundError: An input is of another kind, or cannot be read.
        """
        return self.task.predict(self, self.task.accepts.input_list(inputs))

    def read(self, path: Path) -> Iterator[str]:
        """Yield the inputs in a file: one column of a `.csv`, `.tsv` or `.jsonl` table, or the lines of any other."""
        return tables.table_inputs(path, self.config.state()[self.task.accepts.column])

    def draw(self, item: Raw, answer: Answer) -> list[Path]:
        """Write the pictures of one answer that the settings ask for, and return their files."""
        drawn = self.task.draw(self, item, answer) if self.task.draw else ()
        return [runs.write_new(path, picture) for path, picture in drawn]

    def score(self, examples: Examples) -> Report:
        """Return the task's metrics on raw examples."""
        return self.task.score(self, examples)

    @property
    def validation(self) -> dict[str, float]:
        """Loss and metrics of the kept epoch on the validation split."""
        history = runs.read_history(self.run)
        row = runs.kept_epoch(history, self.config) if history else {}
        return {name.removeprefix("val_"): value for name, value in row.items() if name.startswith("val_")}

    def with_settings(self, **settings: Any) -> Pipeline[C]:
        """Return the same pipeline with other settings, of those that may change after training."""
        return replace(self, config=self.config.with_settings(settings))
