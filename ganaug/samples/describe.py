"""Classes of which there was no image, described by words that a generator learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ganaug.data.words import words_told
from ganaug.defaults import usual_defaults
from ganaug.errors import OptionError
from ganaug.files.appear import appearing
from ganaug.generator.described import described
from ganaug.generator.folder import CHOICE_FOLDER, save
from ganaug.samples.run import Loadable, as_loaded

Descriptions = str | Path | Mapping[str, str] | Sequence[str]


@usual_defaults()
def describe(run: Loadable, descriptions: Descriptions, out: str | Path) -> Path:
    """Write a generator of other classes, which are described by words that a run learned.

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run of a recipe that draws from words (stackgan).
    descriptions : path, dict of str to str, or sequence of str
        What to draw: texts, which are the names of the classes, too; or {class: text}; or a CSV file with a column
        `class` and columns of words. The order of words plays no part.
    out : str or path
        The generator folder, which must not exist or be empty. It can be named wherever a run can.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OptionError
        The run does not draw from words or is a choice among samples, or a word was not learned.
    DataError
        Two classes have the same words, or look the same; or one has none, or no name.
    OutputInUseError
        `out` exists and is not empty.

    Notes
    -----
    It has the weights of the run, and its own hash. Whether its samples are what the words say is not known: look at
    them (`ganaug preview`). The card has the run's fingerprints, so that exact copies of images that the fit saw are
    found in a test set.

    Examples
    --------
    >>> import ganaug
    >>> ganaug.describe("runs/digits", ["red 7"], "red")
    Traceback (most recent call last):
    ...
    ganaug.errors.OptionError: The recipe small does not draw from words. Fit with one that does: --recipe stackgan.
    """
    fitted = as_loaded(run)
    if fitted.choice is not None:
        raise OptionError("A choice is one among samples of other classes.", "Name the run.")
    networks, card = described(fitted, _by_name(descriptions))
    where = Path(out)
    if where.name == CHOICE_FOLDER and (where.parent / "generator").is_dir():
        raise OptionError(f"{out} is where the run keeps a choice among its samples.", "Write to another folder.")
    with appearing(where, folder=True) as place:
        save(place, networks, card)
    return where


def _by_name(descriptions: Descriptions) -> dict[str, str]:
    if isinstance(descriptions, (str, Path, Mapping)):
        return words_told(descriptions) or {}
    if not isinstance(descriptions, Sequence):
        raise OptionError(
            f"Descriptions are a {type(descriptions).__name__}, not a list.", "Give a list of texts, or {class: text}."
        )
    texts = list(descriptions)
    if not texts:
        raise OptionError("Nothing is described.", "Give the words of a class, or --words FILE (descriptions=).")
    if twice := next((one for one in texts if texts.count(one) > 1), None):
        raise OptionError(f"{twice!r} is described twice.", "Describe each class once.")
    return words_told({one: one for one in texts}) or {}
