"""Self-critical training: the captioner is trained on captions that it draws, by their rewards."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from data.texts.text import PAD
from layers.block import Tensor

DRAWN = 5  # captions of a picture
UNLIKELY = -1e9  # score of a token that is never drawn
Reward = Callable[[np.ndarray, np.ndarray], np.ndarray]


class SelfCritical(keras.Model):
    """The network of the captioner, whose output is the loss of captions that it draws; built as `keras.Model` is.

    In training five captions of each picture are drawn at random. The loss of each is weighed by its reward, less the
    mean reward of the other four: what is better than the others becomes likelier. In validation there is one caption,
    of the likeliest token at each step. The value of the output `(batch,)` is the mean reward of a picture, times -1.

    All layers are used as in prediction: nothing is dropped, so that the captions are drawn by the very network that
    learns from them.

    References: Rennie et al., 2017, https://arxiv.org/abs/1612.00563 (self-critical training); Luo, 2020,
    https://arxiv.org/abs/2003.09971 (the mean of the others as the baseline).
    """

    def aim(self, reward: Reward, start: int, end: int, never: list[int], steps: int, seed: int) -> None:
        """Choose what the training makes large.

        Args:
            reward: Gives the rewards `(batch, captions)` of captions `(batch, captions, time)` by references
                `(batch, references, time)`, as NumPy arrays.
            start, end: Tokens before and after a caption.
            never: Tokens that are never drawn.
            steps: Most tokens of a caption, with its end.
        """
        self.reward, self.start, self.end, self.steps = reward, start, end, steps
        self.draws = keras.random.SeedGenerator(seed)
        self.unlikely = np.zeros(self.get_layer("embedding").size, "float32")
        self.unlikely[never] = UNLIKELY

    def call(self, inputs: list[Tensor], training: bool | None = None, mask: Any = None) -> Tensor:
        seen, _, references = inputs
        encoder, even, embedding, decoder = map(self.get_layer, ("encoder", "even", "embedding", "decoder"))
        grid = even(encoder(seen, training=False), training=False)
        count = DRAWN if training else 1
        after = self.drawn(ops.stop_gradient(grid), count, bool(training))
        rewards = ops.stop_gradient(on_host(self.reward, after, references))
        begin = ops.full_like(after[..., :1], self.start)
        before = ops.concatenate([begin, after[..., :-1]], axis=-1)
        written = decoder(embedding(before), grid, training=False)
        scores = embedding(written, use="score") + self.unlikely  # else what is never drawn would take the probability
        losses = ops.sparse_categorical_crossentropy(after, scores, from_logits=True)
        there = ops.cast(ops.not_equal(after, PAD), losses.dtype)
        mean = ops.mean(rewards, axis=1, keepdims=True)
        worth = (rewards - mean) * (count / max(count - 1, 1))  # less the mean of the others
        surrogate = ops.sum(losses * there * worth[..., None], axis=(1, 2)) / ops.sum(there, axis=(1, 2))
        return surrogate - ops.stop_gradient(surrogate) - mean[:, 0]

    def drawn(self, grid: Tensor, count: int, at_random: bool) -> Tensor:
        """Return so many captions of each grid, int32 `(batch, count, steps)`, with their ends and `PAD` behind."""
        embedding, decoder = self.get_layer("embedding"), self.get_layer("decoder")
        keys, values, *states = (ops.repeat(array, count, axis=0) for array in decoder.memory_state(grid))
        first = ops.zeros_like(ops.cast(states[0][:, 0], "int32"))
        tokens = ops.repeat(first[:, None], self.steps, axis=1)
        shape = ops.shape(tokens)
        chances = keras.random.uniform(shape, seed=self.draws) if at_random else ops.zeros(shape)

        def goes_on(place: Tensor, last: Tensor, tokens: Tensor, *states: Tensor) -> Tensor:
            return ops.logical_and(place < self.steps, ops.any(ops.not_equal(last, PAD)))

        def step(place: Tensor, last: Tensor, tokens: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
            output, _, *after = decoder.step(embedding(last), keys, values, None, *states)
            scores = ops.cast(embedding(output, use="score"), "float32") + self.unlikely
            chance = ops.take(chances, place, axis=1)
            following = drawn_token(scores, chance) if at_random else ops.cast(ops.argmax(scores, -1), "int32")
            over = ops.logical_or(ops.equal(last, self.end), ops.equal(last, PAD))
            following = ops.where(over, PAD, following)
            here = ops.equal(ops.arange(self.steps), place)
            return place + 1, following, ops.where(here, following[:, None], tokens), *after

        start = ops.full_like(first, self.start)
        _, _, tokens, *_ = ops.while_loop(goes_on, step, (ops.array(0, "int32"), start, tokens, *states))
        return ops.stop_gradient(ops.reshape(tokens, (-1, count, self.steps)))


def drawn_token(scores: Tensor, chance: Tensor) -> Tensor:
    """Return a token of each row, int32, by a number in [0, 1) that chooses among the sums of the probabilities."""
    sums = ops.cumsum(ops.softmax(scores, axis=-1), axis=-1)
    below = ops.less_equal(sums, (chance * sums[:, -1])[:, None])
    return ops.minimum(ops.sum(ops.cast(below, "int32"), axis=-1), scores.shape[-1] - 1)


def on_host(function: Reward, captions: Tensor, references: Tensor) -> Tensor:
    """Return what a function of NumPy arrays gives, float32 of the shape of the captions without their time."""
    if keras.config.backend() == "tensorflow":
        import tensorflow

        found = tensorflow.numpy_function(function, [captions, references], tensorflow.float32)
        return tensorflow.reshape(found, tensorflow.shape(captions)[:2])
    import jax

    kind = jax.ShapeDtypeStruct(captions.shape[:2], "float32")
    return jax.pure_callback(lambda *arrays: function(*map(np.asarray, arrays)), kind, captions, references)
