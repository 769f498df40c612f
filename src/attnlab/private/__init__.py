"""What is private of a library, or patched in it: here and nowhere else, a module a library.

Each module says what it takes, what for and what that gains. A library of a version that is not known
(:mod:`attnlab.private.versions`; the bounds are those of pyproject.toml) is not patched, and one that has a part no
more is named, with the version to install. ``tests/private`` looks at every part in the libraries that are installed.
"""
