"""Pairs of sentences, and what is to be told of the two: whether one follows from the other, how near they are."""
