import pytest

from tests.toys import mixing


@pytest.fixture(autouse=True)
def _toys(toy_recipes: None) -> None:
    """Every test here has the toy recipes."""


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run folder."""
    folder = tmp_path_factory.mktemp("run")
    mixing.save_generator(folder / "generator")
    return folder
