"""Builds the site into build/site/html, with warnings as errors; inner links are checked.

python -m scripts.site                # a few minutes: the examples are run for their output
python -m scripts.site --no-examples  # without their output
"""

from __future__ import annotations

import argparse
import shutil
import sys

from sphinx.cmd.build import build_main

from scripts.site.pages import ROOT, all_pages

BUILD = ROOT / "build" / "site"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-examples", action="store_true", help="do not run the examples")
    pages = all_pages(not parser.parse_args().no_examples)
    source = BUILD / "source"
    shutil.rmtree(BUILD, ignore_errors=True)
    for path, content in pages.items():
        file = source / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    shutil.copytree(ROOT / "docs" / "images", source / "docs" / "images")
    return build_main(["-W", "--keep-going", "-q", "-c", str(ROOT / "scripts/site"), str(source), str(BUILD / "html")])


if __name__ == "__main__":
    sys.exit(main())
