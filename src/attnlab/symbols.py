"""The special symbols of every vocabulary and their ids. They stand alone: a tokenizer needs no torch."""

PAD, UNK, BOS, EOS = 0, 1, 2, 3
SPECIALS = ("<pad>", "<unk>", "<s>", "</s>")
