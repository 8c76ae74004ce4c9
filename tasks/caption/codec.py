"""What turns captions into tokens and back, and pictures into arrays."""

import logging
from collections.abc import Sequence
from typing import Self

import numpy as np
from typing_extensions import override

from data.pictures.photo import Picture, square_pixels
from data.pictures.sides import tells_sides
from data.splits import Example, Examples
from data.texts.text import caption_text, caption_words, padded_batch, padding_width, padding_widths
from data.texts.vocabulary import END, START, Pieces, Words
from tasks.caption.config import Config
from tasks.caption.neighbours import Neighbours
from tasks.engine import task
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.fields import checked_fields, checked_widths
from tasks.engine.task import Arrays
from tasks.toolbox.reward import CiderReward

LOG = logging.getLogger("tasks")
Tokens = Sequence[int]


class Codec(task.Codec):
    """Turn captions into tokens and back, and pictures into arrays; it learns vocabulary and padding widths.

    Attributes:
        neighbours: Training pictures that help to choose among captions, if the run keeps them.
        reward: What a training by CIDEr-D makes large; `None` in any other.
    """

    def __init__(
        self, config: Config, vocabulary: Words | Pieces, widths: list[int], neighbours: Neighbours | None = None
    ) -> None:
        self.reward: CiderReward | None = None
        self.config, self.vocabulary, self.widths, self.neighbours = config, vocabulary, widths, neighbours
        if isinstance(vocabulary, Pieces):
            self.start, self.end, self.size = START, END, vocabulary.size
        else:
            self.start, self.end, self.size = vocabulary.size, vocabulary.size + 1, vocabulary.size + 2

    @classmethod
    def learn(cls, config: Config, train: Examples) -> Self:
        if config.objective == "cider":
            raise SettingError("`objective` cider goes on from a run by likelihood; name one with `init_from`.")
        captions = [caption for example in train for caption in example["captions"]]
        if config.tokens == "words":
            vocabulary: Words | Pieces = Words.learn(captions, config.vocabulary, caption_words)
        else:
            texts = [" ".join(caption_words(caption)) for caption in captions]
            vocabulary = Pieces.learn(texts, config.vocabulary, "bpe", cased=True)
        return cls.of_vocabulary(config, vocabulary, train)

    @classmethod
    def of_vocabulary(cls, config: Config, vocabulary: Words | Pieces, train: Examples) -> Self:
        """Return a codec with a vocabulary, and with padding widths for these training examples."""
        codec = cls(config, vocabulary, [config.max_length + 1])
        codec.say_cut([caption for example in train for caption in example["captions"]])
        longest = [codec.longest_caption(example) for example in train]
        return cls(config, vocabulary, padding_widths(longest, config.max_length + 1, config.widths + 1, step=2))

    @override
    @classmethod
    def adapt(cls, config: Config, earlier: Self, train: Examples) -> Self:
        """Return a codec with the vocabulary of an earlier one and, if that is of words, the new words.

        A training by CIDEr-D adds none, since it draws what the network knows already.
        """
        vocabulary = earlier.vocabulary
        if isinstance(vocabulary, Words) and config.objective == "likelihood":
            captions = [caption for example in train for caption in example["captions"]]
            vocabulary = vocabulary.extended(captions, config.vocabulary, caption_words)
        return cls.of_vocabulary(config, vocabulary, train)

    @override
    def for_training(self, train: Examples) -> Self:
        if self.config.objective == "cider":
            self.reward = CiderReward.learn(map(self.numbered, train))
        return self

    def numbered(self, example: Example) -> list[list[int]]:
        """Return the captions of an example as tokens, with that of the end."""
        return [[*self.numbers(caption), self.end] for caption in example["captions"]]

    @override
    def places(self, earlier: Self) -> list[int] | None:
        """Return the number here of each token of the earlier codec; new words come before the start and the end."""
        return None if self.size == earlier.size else [*range(earlier.size - 2), self.start, self.end]

    @classmethod
    def restore(cls, config: Config, state: JsonObject) -> Self:
        own = {"vocabulary": list[str] if config.tokens == "words" else str}
        state = checked_fields(state, own | {"tokens": str, "widths": list[int]}, {"neighbours": dict})
        if state["tokens"] != config.tokens:
            raise ValueError(f"its tokens are {state['tokens']!r}, and those of the settings are {config.tokens!r}")
        kind: type[Words | Pieces] = {"words": Words, "pieces": Pieces}[config.tokens]
        widths = checked_widths(state["widths"], config.max_length + 1)
        codec = cls(config, kind.restore(state["vocabulary"]), widths)
        if "neighbours" in state:
            codec.neighbours = Neighbours.restore(state["neighbours"], codec.vocabulary.size, config.max_length)
        return codec

    def state(self) -> JsonObject:
        own = {"tokens": self.config.tokens, "widths": self.widths, "vocabulary": self.vocabulary.state()}
        return own | ({"neighbours": self.neighbours.state()} if self.neighbours else {})

    def with_neighbours(self, neighbours: Neighbours) -> Self:
        """Return this codec with other neighbours."""
        return type(self)(self.config, self.vocabulary, self.widths, neighbours)

    def all_numbers(self, caption: str) -> Tokens:
        """Return the tokens of a whole caption."""
        return [number for word in caption_words(caption) for number in self.vocabulary.numbers(word)]

    def numbers(self, caption: str) -> Tokens:
        """Return a caption as at most `max_length` tokens."""
        return self.all_numbers(caption)[: self.config.max_length]

    def say_cut(self, captions: Sequence[str]) -> None:
        """Give notice of captions that are cut at `max_length`, and of those in which no word is found."""
        lengths = [len(self.all_numbers(caption)) for caption in captions]
        if cut := sum(length > self.config.max_length for length in lengths):
            LOG.warning(
                "%d of %d training captions are cut at %d tokens (--max-length); the longest has %d.",
                cut, len(captions), self.config.max_length, max(lengths),
            )  # fmt: skip
        if empty := [caption for caption, length in zip(captions, lengths, strict=True) if not length]:
            LOG.warning("%d training captions have no words; the first is %r.", len(empty), empty[0])

    def words(self, tokens: Tokens) -> list[str]:
        """Return the text of each token."""
        if isinstance(self.vocabulary, Pieces):
            return [self.vocabulary.piece_text(token) for token in tokens]
        return [self.vocabulary.word(token) for token in tokens]

    def text(self, tokens: Tokens) -> str:
        """Return tokens as a sentence."""
        pieces = isinstance(self.vocabulary, Pieces)
        text = self.vocabulary.text(tokens) if pieces else " ".join(self.words(tokens))  # type: ignore[union-attr]
        return caption_text(text)

    def read(self, raw: Picture) -> np.ndarray:
        """Return a picture, as `photo_of` takes it, as uint8 `(size, size, 3)`."""
        return square_pixels(raw, self.config.size, self.config.megapixels)

    def inputs(self, read: Sequence[np.ndarray]) -> np.ndarray:
        """Return pictures as uint8 `(batch, size, size, 3)`."""
        return np.stack(read)

    def longest_caption(self, example: Example) -> int:
        """Return the number of tokens of the longest caption of an example, including its end."""
        return max(len(self.numbers(caption)) for caption in example["captions"]) + 1

    @override
    def bucket(self, example: Example) -> int:
        """Return the width that the captions of an example are padded to."""
        return padding_width(self.longest_caption(example), self.widths)

    @override
    def cost(self, bucket: int) -> int:
        """Return the number of steps of a caption of a bucket."""
        return bucket

    def encode(self, examples: list[Example], random: np.random.Generator | None = None) -> tuple[Arrays, ...]:
        """Return the arrays of a batch: inputs, expected losses and weights.

        * Inputs: pixels or features; captions so far and next words, int32 `(batch, captions, time)`.
        * Expected losses: zeros, not used, since the network computes its loss.
        * Weights: the number of tokens in the captions of each picture, `(batch,)`.

        With `random` the captions are shuffled, and some pictures are mirrored.
        """
        seen = np.stack([self.network_picture(example, random) for example in examples])
        chosen = [self.caption_choice(example["captions"], random) for example in examples]
        rows = [[self.start, *self.numbers(caption), self.end] for captions in chosen for caption in captions]
        most, width = max(map(len, chosen)), padding_width(max(map(len, rows)) - 1, self.widths) + 1
        tokens = np.zeros((len(examples), most, width), "int32")
        places = [(row, column) for row, captions in enumerate(chosen) for column in range(len(captions))]
        tokens[tuple(np.transpose(places))] = padded_batch(rows, width)
        before, after = tokens[:, :, :-1], tokens[:, :, 1:]
        counts = (after > 0).sum((1, 2)).astype("float32")
        return (seen, before, after), np.zeros_like(counts), counts

    def caption_choice(self, captions: Sequence[str], random: np.random.Generator | None) -> Sequence[str]:
        """Return at most `captions` captions for one epoch; with `random`, a random choice."""
        if random is None:
            return captions[: self.config.captions]
        return [captions[place] for place in random.permutation(len(captions))[: self.config.captions]]

    def network_picture(self, example: Example, random: np.random.Generator | None) -> np.ndarray:
        """Return the pixels or features of an example; with `random`, mirrored half of the time if possible."""
        if "grid" not in example:
            return square_pixels(example["image"], self.config.size, self.config.megapixels)
        mirrored = random is not None and "mirrored" in example and random.random() < 0.5
        sided = mirrored and any(map(tells_sides, example["captions"]))
        grid: np.ndarray = example["mirrored" if mirrored and not sided else "grid"]
        return grid
