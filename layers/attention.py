"""Attention over a sequence."""

from typing import Literal

import keras

from layers.block import Options, Shape, Tensor, check_choice, check_positive

Kind = Literal["additive", "multiplicative"]
KINDS = ("additive", "multiplicative")


@keras.saving.register_keras_serializable(package="layers")
class Attention(keras.layers.Layer):
    """Let each step of one sequence attend to all steps of another, its memory.

    Args:
        units: Width of queries, keys and values together, and of the context that comes out; at least 1.
        kind: How a query is compared with a key. `"multiplicative"` is their product over the square root of
            their width. `"additive"` is a small network that reads their sum.
        heads: Attention heads, each on its own `units / heads` features; at least 1.

    Input shape: queries `(batch, time, features)` and memory `(batch, steps, width)`. `there`, bool `(batch, steps)`,
    says which steps of the memory are seen, at least one of each.
    Output shape: the context `(batch, time, units)`, and the weights `(batch, time, steps)`, which sum to 1 over
    the steps; with several heads their mean.

    Raises:
        ValueError: An argument is out of range, or `heads` does not divide `units`.

    References: Bahdanau et al., 2015, https://arxiv.org/abs/1409.0473 (additive); Luong et al., 2015,
    https://arxiv.org/abs/1508.04025 (multiplicative); Vaswani et al., 2017, https://arxiv.org/abs/1706.03762
    (scale and heads).

    Example:
        >>> import keras
        >>> queries, memory = keras.ops.ones((2, 3, 8)), keras.ops.ones((2, 5, 6))
        >>> context, weights = Attention(4)(queries, memory)
        >>> tuple(context.shape), tuple(weights.shape)
        ((2, 3, 4), (2, 3, 5))
    """

    def __init__(self, units: int, kind: Kind = "multiplicative", *, heads: int = 1, **kwargs: Options) -> None:
        super().__init__(**kwargs)
        check_positive(units=units, heads=heads)
        check_choice("kind", kind, KINDS)
        if units % heads:
            raise ValueError(f"`heads` must divide `units`; received {units=} and {heads=}.")
        self.units, self.kind, self.heads = units, kind, heads

    def build(self, queries_shape: Shape, memory_shape: Shape) -> None:
        self.query, self.key, self.value = (
            keras.layers.Dense(self.units, use_bias=biased, name=name, dtype=self.dtype_policy)
            for name, biased in (("query", self.kind == "additive"), ("key", False), ("value", False))
        )
        self.query.build(queries_shape)
        self.key.build(memory_shape)
        self.value.build(memory_shape)
        if self.kind == "additive":
            self.weigh = self.add_weight(shape=(self.units,), initializer="random_normal", name="weigh")

    def call(self, queries: Tensor, memory: Tensor, there: Tensor = None) -> tuple[Tensor, Tensor]:
        return self.context_and_weights(queries, self.key(memory), self.value(memory), there)

    def context_and_weights(
        self, queries: Tensor, keys: Tensor, values: Tensor, there: Tensor = None
    ) -> tuple[Tensor, Tensor]:
        """Return context and weights for a memory that is given as keys and values, `(batch, steps, units)`."""
        queries, keys, values = (self.head_features(x) for x in (self.query(queries), keys, values))
        scores = getattr(self, f"{self.kind}_scores")(queries, keys)  # (batch, heads, time, steps)
        if there is not None:
            scores = keras.ops.where(there[:, None, None, :], scores, keras.ops.cast(-1e9, scores.dtype))
        weights = keras.ops.softmax(scores, axis=-1)
        context = keras.ops.transpose(keras.ops.matmul(weights, values), (0, 2, 1, 3))  # (batch, time, heads, width)
        context = keras.ops.reshape(context, (*keras.ops.shape(context)[:2], self.units))
        return context, keras.ops.mean(weights, axis=1)

    def head_features(self, x: Tensor) -> Tensor:
        """Return `(batch, steps, units)` as `(batch, heads, steps, units / heads)`."""
        x = keras.ops.reshape(x, (*keras.ops.shape(x)[:2], self.heads, self.units // self.heads))
        return keras.ops.transpose(x, (0, 2, 1, 3))

    def multiplicative_scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return the scaled product of each query with each key."""
        scale = (self.units // self.heads) ** -0.5
        return keras.ops.matmul(queries * scale, keras.ops.transpose(keys, (0, 1, 3, 2)))

    def additive_scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return the output of a small network for the sum of each query and each key."""
        sums = keras.ops.tanh(keras.ops.expand_dims(queries, 3) + keras.ops.expand_dims(keys, 2))
        weigh = keras.ops.reshape(self.weigh, (1, self.heads, 1, 1, self.units // self.heads))
        return keras.ops.sum(sums * weigh, axis=-1)

    def compute_output_shape(
        self, queries_shape: Shape, memory_shape: Shape, there_shape: Shape | None = None
    ) -> tuple[Shape, Shape]:
        return (*queries_shape[:2], self.units), (*queries_shape[:2], memory_shape[1])
