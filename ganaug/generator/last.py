"""A network of a run that its recipe does not keep: as it was after the last round, from the saved state."""

from __future__ import annotations

from torch import nn

from ganaug.defaults import usual_defaults
from ganaug.errors import ArtefactError
from ganaug.files.tensors import load_strictly
from ganaug.game import Recipe
from ganaug.generator.folder import Fitted, run_folder
from ganaug.generator.state import load_state


@usual_defaults()
def last_network(fitted: Fitted, role: str, recipe: Recipe) -> nn.Module:
    """The network of this role with its last weights (not averaged ones), frozen and in eval mode.

    It is in the state of the run folder and not in the generator folder, which holds only what the recipe keeps. Raises
    ArtefactError where there is no run folder, no state, or no such network.
    """
    networks = recipe.networks(fitted.card.spec, fitted.card.prior)
    if role not in networks:
        raise ArtefactError(
            f"The recipe {fitted.card.recipe} has no {role}.", f"It has: {', '.join(sorted(networks))}."
        )
    folder = run_folder(fitted)
    saved = None if folder is None else load_state(folder / "state")
    if folder is None or saved is None:
        raise ArtefactError(
            f"The {role} is not part of the generator folder {fitted.path}, and there is no saved state beside it.",
            "Name the run folder that `ganaug fit` made, with its `state/`.",
        )
    prefix = f"networks/{role}/"
    weights = {name.removeprefix(prefix): t for name, t in saved.tensors.items() if name.startswith(prefix)}
    load_strictly(networks[role], weights, str(folder / "state"))
    return networks[role].eval().requires_grad_(False)
