"""The pages of this folder, the docstrings and the gallery of ../examples as a site: `make docs`.

Nothing is fetched while it is built, so names of numpy's and scipy's link nowhere.
"""

import importlib.metadata
import re

project = "fastconv"
author = "fastconv developers"
version = release = importlib.metadata.version("fastconv")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
    "sphinx_gallery.gen_gallery",
]
# What the gallery is made from and brings is no page of its own.
exclude_patterns = ["figures", "site", "gallery/*.md5", "gallery/*.ipynb", "gallery/*.py"]

html_theme = "pydata_sphinx_theme"
html_title = f"fastconv {version}"
html_theme_options = {"navbar_center": [], "secondary_sidebar_items": ["page-toc"]}
html_sidebars = {"**": ["pages.html"]}
templates_path = ["site/templates"]
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_show_sourcelink = False

nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|scipy|threadpoolctl)\..*"),
    ("py:obj", "kernel|mode|axis|axes|workers"),  # properties, told in their class
]

smartquotes = False  # they would curl those of Python
myst_heading_anchors = 3

highlight_language = "none"  # of what does not say what it is
default_role = "autolink"  # links what can be imported, and slants the rest
autodoc_typehints = "none"  # numpydoc's sections tell the types
numpydoc_show_class_members = False

plot_formats = ["svg"]
plot_html_show_formats = False
plot_html_show_source_link = False
plot_include_source = False
plot_rcparams = {"svg.fonttype": "none", "savefig.bbox": "tight"}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "copyfile_regex": r"(?!)",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    # Times of a build tell nothing of fastconv.
    "write_computation_times": False,
    "min_reported_time": 600,
}


def setup(app):
    app.connect("source-read", link_to_the_gallery)
    app.connect("source-read", end_examples)


def link_to_the_gallery(app, page, source):
    """Pages name examples as they lie in the repository; here those are pages of the gallery."""
    source[0] = re.sub(
        r"\]\(\.\./examples(?:/(\w+)\.py)?\)",
        lambda link: f"](gallery/{link[1] or 'index'}.rst)",
        source[0],
    )


def end_examples(app, page, source):
    """An empty line ends what doctest reads, and would be shown."""
    source[0] = source[0].replace("\n\n```\n", "\n```\n")
