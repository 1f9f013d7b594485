"""How Sphinx builds the site from the pages that `python -m scripts.site` lays out."""

import ganaug

project = "ganaug"
version = release = ganaug.__version__
author = project_copyright = "the ganaug authors"
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
default_role = "py:obj"
autodoc_typehints = "none"  # numpydoc says the types
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
html_theme = "pydata_sphinx_theme"
html_title = "ganaug"
html_static_path = ["static"]
html_css_files = ["narrow.css"]
html_show_sourcelink = False
html_theme_options = {"navbar_align": "left", "show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}
