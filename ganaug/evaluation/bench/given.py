"""The synthetic items that a bench is given: a run, folders of images or rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganaug.data.sources.source import is_source
from ganaug.errors import ArtefactError, OptionError
from ganaug.evaluation.bench.parts import RUN
from ganaug.generator.folder import Fitted
from ganaug.options import as_text
from ganaug.samples.run import Loadable, as_loaded


def loaded(run: Loadable) -> Fitted:
    """The run. Raises OptionError for synthetic items in its place."""
    try:
        return as_loaded(run)
    except ArtefactError as error:
        if isinstance(run, (str, Path)) and is_source(run) and not (Path(run) / "state").is_dir():
            raise OptionError(f"{run} holds data and no generator.", "Name it as --synthetic (synthetic=).") from error
        raise


def sources(synthetic: Any) -> dict[str, Any]:
    """Folders of synthetic images, by name."""
    if synthetic is None:
        return {}
    if not isinstance(synthetic, Mapping):
        return {"folder": synthetic}
    if RUN in synthetic or not all(isinstance(name, str) and name for name in synthetic):
        raise OptionError("The names of synthetic images must be texts, and 'run' is taken.", "Give them other names.")
    return dict(synthetic)


def words_of(fitted: Fitted | None, synthetic: Mapping[str, Any]) -> str:
    said = [] if fitted is None else [f"run {fitted.hash[:12]} ({fitted.card.recipe})"]
    said += [f"folder {as_text(source)}" for source in synthetic.values()]
    return "; ".join(said) or "none"
