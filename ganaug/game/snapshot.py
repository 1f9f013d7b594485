"""The state of a game as named tensors, and back: everything that an exact resume needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

import torch
from torch import Tensor, nn

from ganaug.errors import ArtefactError
from ganaug.game import Networks, Optimiser, Player

State = dict[str, Tensor]


def owned(nets: Networks, player: Player) -> list[nn.Parameter]:
    """The weights that a player moves, in order."""
    return [p for name in player.owns for p in nets[name].parameters()]


def take(
    nets: Networks, averages: Networks, players: Sequence[Player], optimisers: Sequence[torch.optim.Optimizer]
) -> State:
    """Copies, on the CPU, of networks, averages and moments: "networks/ROLE/...", "averages/ROLE/...",
    "optimisers/PLAYER/INDEX/..."."""
    state = {}
    for group, kept in (("networks", nets), ("averages", averages)):
        for name, net in kept.items():
            for entry, tensor in net.state_dict().items():
                state[f"{group}/{name}/{entry}"] = tensor.detach().cpu().clone()
    for player, optimiser in zip(players, optimisers, strict=True):
        for index, entries in optimiser.state_dict()["state"].items():
            for entry, tensor in entries.items():
                state[f"optimisers/{player.name}/{index}/{entry}"] = tensor.detach().cpu().clone()
    return state


def put_back(
    state: Mapping[str, Tensor],
    nets: Networks,
    averages: Networks,
    players: Sequence[Player],
    optimisers: Sequence[torch.optim.Optimizer],
) -> None:
    """Fill them from a state. Raises ArtefactError, before anything changes, unless names, shapes and dtypes are those
    of this game and every number is finite."""
    expected: State = {}
    for group, kept in (("networks", nets), ("averages", averages)):
        for name, net in kept.items():
            expected |= {f"{group}/{name}/{entry}": tensor for entry, tensor in net.state_dict().items()}
    moments = {}
    for player in players:
        weights = owned(nets, player)
        moments[player.name] = {
            f"optimisers/{player.name}/{index}/{entry}": tensor
            for index, weight in enumerate(weights)
            for entry, tensor in _moments_of(player.optimiser, weight, state, f"optimisers/{player.name}/{index}/")
        }
        expected |= moments[player.name]
    _check(expected, state)
    for group, kept in (("networks", nets), ("averages", averages)):
        for name, net in kept.items():
            net.load_state_dict({entry: state[f"{group}/{name}/{entry}"] for entry in net.state_dict()}, strict=True)
    for player, optimiser in zip(players, optimisers, strict=True):
        entries: dict[int, dict[str, Tensor]] = {}
        for name, like in moments[player.name].items():
            index, entry = name.split("/")[-2:]
            entries.setdefault(int(index), {})[entry] = torch.empty_like(like).copy_(state[name])
        optimiser.load_state_dict({"state": entries, "param_groups": optimiser.state_dict()["param_groups"]})


def _moments_of(
    optimiser: Optimiser, weight: Tensor, state: Mapping[str, Tensor], prefix: str
) -> Iterator[tuple[str, Tensor]]:
    """What an optimiser keeps of a weight, none where the state has none of it (it never had a gradient): names and,
    as tensors, shapes, dtypes and memory layouts, which fused optimisers take for granted."""
    if not any(name.startswith(prefix) for name in state):
        return
    twin = nn.Parameter(torch.zeros_like(weight, device="cpu"))
    twin.grad = torch.zeros_like(twin)
    tried = optimiser.build([twin])
    tried.step()
    yield from tried.state_dict()["state"][0].items()


def _check(expected: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    if set(expected) != set(state):
        _refuse(f"differs in {sorted(set(expected) ^ set(state))[:3]}")
    for name, tensor in state.items():
        like = expected[name]
        if tensor.shape != like.shape or tensor.dtype != like.dtype:
            _refuse(f"has {name} as {tuple(tensor.shape)} {tensor.dtype}, not {tuple(like.shape)} {like.dtype}")
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            _refuse(f"is not finite in {name}")


def _refuse(why: str) -> NoReturn:
    raise ArtefactError(
        f"The saved state does not fit the networks: it {why}.",
        "Go on with the recipe and settings that the run was started with.",
    )
