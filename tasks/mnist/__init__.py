"""Classify pictures of handwritten digits."""
