import pytest

from tests.toys.images import picture


@pytest.fixture
def tree(tmp_path):
    """Three classes of four 12 x 12 PNG files."""
    for c, name in enumerate(("ant", "bee", "cat")):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(4):
            picture(10 * c + i).save(tmp_path / "data" / name / f"{i}.png")
    return tmp_path / "data"
