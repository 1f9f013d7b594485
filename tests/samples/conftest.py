import pytest


@pytest.fixture(autouse=True)
def _toys(toy_recipes: None) -> None:
    """Every test here has the toy recipes."""
