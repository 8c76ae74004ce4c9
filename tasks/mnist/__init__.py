"""Classify pictures of handwritten digits with fully connected and convolution layers."""
