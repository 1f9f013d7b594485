"""What a recipe's docstring says to expect is what was measured: the lines of scripts/studies/results/recipes."""

from __future__ import annotations

import pytest

from ganaug.recipes import RECIPES
from scripts.studies.lib.results import DOCS
from scripts.studies.recipes.page import cells_of, expectation, studies

FOUND = studies()


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("study", FOUND)
def test_a_docstring_says_what_the_cells_of_its_studies_say(study):
    cells = cells_of(study)
    assert cells, f"no results of {study}"
    assert expectation(FOUND[study], cells) in words(RECIPES[study.split()[0]].__doc__ or "")


OURS = [name for name, made in RECIPES.items() if made.__module__.startswith("ganaug.")]  # not the toys of other tests


@pytest.mark.parametrize("recipe", OURS)
def test_every_recipe_says_what_to_expect_in_figures_and_minutes(recipe):
    said = words(RECIPES[recipe].__doc__ or "").split("Expect: ")
    assert len(said) >= 2, recipe
    for sentence in said[1:]:
        form = f'"Expect: FIGURE 0.93 (0.91 to 0.95) (data set; 3 seeds, 2.5 minutes ...).", and not: {sentence[:200]}'
        assert "minutes" in sentence, form
        assert any(character.isdigit() for character in sentence), form


def test_the_page_has_a_section_and_a_picture_for_every_recipe():
    page = (DOCS / "recipes.md").read_text()
    for name in FOUND:
        assert f"\n## {name}\n" in page
        assert f"images/recipes/{name.replace(' ', '_')}-" in page
    for link in (line.split("](")[1].rstrip(")") for line in page.splitlines() if line.startswith("![")):
        assert (DOCS / link).exists(), link
