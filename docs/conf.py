"""The site: guides, every configuration value, the Python API.

poe docs      # builds it into build/site; a warning is an error, nothing is fetched
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from configuration_reference import write_pages  # noqa: E402

project = "attnlab"
author = "the attnlab authors"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "formulas",
]
html_math_renderer = "drawn"
root_doc = "index"
exclude_patterns = ["notebooks"]
html_theme = "furo"
html_title = "attnlab"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_show_copyright = False
myst_enable_extensions = ["dollarmath", "amsmath", "html_image"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # those of torch and Lightning are written for sites of their own
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True, "exclude-members": "forward"}
napoleon_use_rtype = False
suppress_warnings = ["myst.header"]


def from_here(app, path, page, content):
    """The README is included in parts; what it links to in docs/ lies beside the page that includes it."""
    if Path(path).name == "README.md":
        content[0] = content[0].replace("](docs/", "](").replace('src="docs/', 'src="')


def setup(app):
    write_pages(HERE.parent / "conf", HERE)
    app.connect("include-read", from_here)
