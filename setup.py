"""Which folders are packages; pyproject.toml says all else. conf/ is one of them, as attnlab.conf."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages("src"), "attnlab.conf"],
    package_dir={"": "src", "attnlab.conf": "conf"},
)
