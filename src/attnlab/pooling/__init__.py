"""How what an encoder says of every word becomes one vector: where attention stands in a classifier, and controls."""
