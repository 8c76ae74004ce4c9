"""An embedding that is the output layer too."""

import keras

from layers.block import Options, Shape, Tensor, check_fraction, check_positive


@keras.saving.register_keras_serializable(package="layers")
class TiedEmbedding(keras.layers.Layer):
    """Vectors of tokens, and with the same weights the scores of tokens, or their loss.

    Vectors are scaled by the root of the width, since weights that suit the scores are small for an input.

    Args:
        size: Number of tokens, at least 1.
        width: Width of a vector, at least 1.
        smoothing: Share of the target probability that is spread over all tokens, in [0, 1).

    Call arguments:
        inputs: Tokens, int of any shape; or, with `use` other than `"embed"`, vectors `(..., width)`.
        use: `"embed"` gives the vectors of tokens, `"score"` the scores of all tokens `(..., size)`. `"loss"` gives the
            cross-entropy of `labels`, tokens of the shape of the inputs without its last axis.

    The loss costs little beside the scores: the smoothing adds the product of each input with a difference. This is the
    vector of its own label, less the mean of all vectors. The scores are read and written no more often for it.

    Raises:
        ValueError: An argument is out of range.

    References: Press and Wolf, 2017, https://arxiv.org/abs/1608.05859 (shared weights); Szegedy et al., 2016,
    https://arxiv.org/abs/1512.00567, section 7 (smoothing).

    Example:
        >>> import keras
        >>> embedding = TiedEmbedding(10, 4)
        >>> vectors = embedding(keras.ops.convert_to_tensor([[1, 2, 3]]))
        >>> tuple(vectors.shape), tuple(embedding(vectors, use="score").shape)
        ((1, 3, 4), (1, 3, 10))
    """

    def __init__(self, size: int, width: int, smoothing: float = 0.0, **kwargs: Options) -> None:
        super().__init__(**kwargs)
        check_positive(size=size, width=width)
        check_fraction(smoothing=smoothing)
        self.size, self.width, self.smoothing = size, width, smoothing

    def build(self, inputs_shape: Shape) -> None:
        start = keras.initializers.RandomNormal(stddev=self.width**-0.5)
        self.table = self.add_weight(shape=(self.size, self.width), initializer=start, name="table")

    def call(self, inputs: Tensor, use: str = "embed", labels: Tensor = None) -> Tensor:
        if use == "embed":
            return keras.ops.take(self.table, inputs, axis=0) * self.width**0.5
        table = keras.ops.convert_to_tensor(self.table)
        scores = keras.ops.matmul(inputs, keras.ops.transpose(table))
        if use == "score":
            return scores
        loss = keras.ops.sparse_categorical_crossentropy(labels, scores, from_logits=True)
        beyond = keras.ops.take(table, labels, axis=0) - keras.ops.mean(table, axis=0)
        return loss + self.smoothing * keras.ops.sum(inputs * beyond, axis=-1)

    def compute_output_shape(self, inputs_shape: Shape, use: str = "embed", labels_shape: Shape | None = None) -> Shape:
        return {
            "embed": (*inputs_shape, self.width),
            "score": (*inputs_shape[:-1], self.size),
            "loss": inputs_shape[:-1],
        }[use]

    def compute_output_spec(self, inputs: Tensor, use: str = "embed", labels: Tensor = None) -> Tensor:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape, use), dtype=self.compute_dtype)


@keras.saving.register_keras_serializable(package="layers")
class GivenLoss(keras.losses.Loss):
    """Average the losses that a network gives as its output, weighted by position or example.

    Example:
        >>> import keras
        >>> losses = keras.ops.convert_to_tensor([1.0, 3.0])
        >>> float(GivenLoss()(keras.ops.zeros(2), losses))
        2.0
    """

    def __init__(self, name: str = "given", reduction: str = "mean_with_sample_weight", **kwargs: Options) -> None:
        super().__init__(name=name, reduction=reduction, **kwargs)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return y_pred
