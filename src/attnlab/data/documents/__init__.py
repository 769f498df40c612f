"""Documents: texts whose sentences are known, each with a class. In an example's text a sentence is a line."""
