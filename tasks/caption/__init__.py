"""Describe a picture in a sentence."""
