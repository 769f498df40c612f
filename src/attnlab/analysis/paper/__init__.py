"""The parts of a paper that a comparison can write: figures, tables, the paragraph about the method, references."""
