"""The four classic layer families as Keras blocks; this package knows no task and no data set.

Importing it registers every block, so that `keras.saving.load_model` reads files that contain them.
"""

from layers.attention import Attention
from layers.block import Block
from layers.convolution import ConvolutionBlock, ResidualBlock
from layers.decoder import DecoderStep, RecurrentDecoder
from layers.deconvolution import Bilinear, DeconvolutionBlock, EvenPhases
from layers.dense import DenseBlock
from layers.efficientnet import efficientnet_lite0
from layers.embedding import GivenLoss, TiedEmbedding
from layers.encoder import GridEncoder
from layers.pooling import SequencePooling
from layers.recurrent import RecurrentStack

__all__ = [
    "Attention",
    "Bilinear",
    "Block",
    "ConvolutionBlock",
    "DecoderStep",
    "DeconvolutionBlock",
    "DenseBlock",
    "EvenPhases",
    "GivenLoss",
    "GridEncoder",
    "RecurrentDecoder",
    "RecurrentStack",
    "ResidualBlock",
    "SequencePooling",
    "TiedEmbedding",
    "efficientnet_lite0",
]
