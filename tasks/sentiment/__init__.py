"""Classify texts, for example as positive or negative, with recurrent layers."""
