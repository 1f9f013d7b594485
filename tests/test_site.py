"""The pages of the documentation site; `scripts/docs.sh` builds it, with warnings as errors."""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath

import pytest

import ganaug
from scripts.site.names import by_group, public
from scripts.site.pages import ROOT, all_pages, example_page, pictures_in, relinked


def test_every_public_name_is_in_one_group():
    names = [name for names in by_group().values() for name in names]
    assert len(names) == len(set(names))
    assert {*public(ganaug)} <= {*names}


def test_every_link_leads_to_a_page_or_a_picture():
    pages = all_pages(run_examples=False)
    there = {*pages, *(str(file.relative_to(ROOT)) for file in (ROOT / "docs/images").rglob("*.png"))}
    for path, text in pages.items():
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            assert os.path.normpath(PurePosixPath(path).parent / target) in there, (path, target)


@pytest.mark.parametrize(
    ("path", "text", "wanted"),
    [
        ("README.md", "[a](docs/study.md#closed-set)", "[a](docs/study.md#closed-set)"),
        ("README.md", "![a](docs/images/mnist.png)", "![a](docs/images/mnist.png)"),
        ("README.md", "[b](examples) [c](CONTRIBUTING.md)", "[b](examples/index.md) [c](contributing.md)"),
        ("README.md", "[b](examples/train) [c](https://d.e/f)", "b [c](https://d.e/f)"),
        ("docs/scale.md", "[a](../examples/01_fit_and_look.py)", "[a](../examples/01_fit_and_look.md)"),
        ("docs/guides/a.md", "[a](../speed.md) [b](../../README.md)", "[a](../speed.md) [b](../../index.md)"),
    ],
)  # fmt: skip
def test_links_of_the_repository_are_those_of_the_site(path, text, wanted):
    assert relinked(text, path) == wanted


def test_an_example_is_its_words_its_code_and_what_it_prints(tmp_path):
    example = tmp_path / "example.py"
    example.write_text('"""Say\nhello.\n\nTo all."""\n\nprint("hello")\n')
    page = example_page(example, "hello\n")
    assert page.startswith('# Say hello\n\nTo all.\n\n```python\nprint("hello")\n```\n')
    assert page.endswith("```text\nhello\n```\n")


def test_pictures_whose_paths_an_example_prints_are_on_its_page(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "grid.png").write_bytes(b"")
    output = "look at runs/grid.png\nand again runs/grid.png, not at runs/gone.png\n"
    assert pictures_in(output, tmp_path) == [tmp_path / "runs" / "grid.png"]
    page = example_page(ROOT / "examples" / "01_fit_and_look.py", output, ["01-grid.png"])
    assert page.endswith("```\n\n![01-grid.png](01-grid.png)\n")
