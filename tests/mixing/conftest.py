import pytest
import toy


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run folder."""
    folder = tmp_path_factory.mktemp("run")
    toy.save_generator(folder / "generator")
    return folder
