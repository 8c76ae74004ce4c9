"""Texts: words and sub-words, labelled texts, sentence pairs; NumPy and sentencepiece only."""
