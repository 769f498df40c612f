"""What a notebook needs; ``import attnlab`` has all of it.

Each stands on what the commands stand on: the same words, the same checks, the same run folders.
"""
