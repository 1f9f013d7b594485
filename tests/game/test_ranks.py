"""Slices of a batch, and processes that share them: the same bytes wherever a slice is computed."""

from __future__ import annotations

import hashlib
import os

import pytest
import torch

from ganaug.defaults import torch_threads
from ganaug.errors import OptionError, RankError
from ganaug.game.ranks import ALONE, ranks_of
from ganaug.game.train import train
from ganaug.recipes import RECIPES, make
from tests.toys.games import toy
from tests.toys.ranks import together


def digest(state):
    whole = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        whole.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return whole.hexdigest()


def played(names, slices, steps, **options):
    """Hashes of networks, averages and moments, by recipe."""
    with ranks_of(slices) as ranks:
        hashes = {}
        for name in names:
            recipe = make(name, options)
            *_, end = train(recipe, toy(recipe), steps=steps, seed=1, slices=slices, ranks=ranks)
            hashes[name] = digest(end.state())
    return hashes


@pytest.mark.long
def test_two_ranks_give_the_bytes_of_one_for_every_recipe():
    with torch_threads(1):  # as the other processes have
        here = played(RECIPES, 2, 2)
    assert [end.value for end in together(2, played, list(RECIPES), 2, 2)] == [here, here]


def summed(ranks, count):
    """Of numbers whose sum depends on the order in which they are added."""
    asked = []

    def part(s):
        asked.append(s)
        return torch.randn(1000, generator=torch.Generator().manual_seed(s)) * 10.0 ** (s % 7)

    return hashlib.sha256(ranks.total(count, part).numpy().tobytes()).hexdigest(), asked


def talk(counts):
    """What ranks tell each other, in one go."""
    with ranks_of(12) as ranks:
        sums = [summed(ranks, count) for count in counts]
        mine = [
            torch.tensor([1 << 31, 714, ranks.rank]).to(torch.int32).view(torch.float32),
            torch.tensor(ranks.rank),
            torch.tensor([ranks.leads]),
        ]
        ranks.share(mine)
        told = [ranks.first(data) for data in ((b"first", b"", bytes(range(256))) if ranks.leads else (b"other",) * 3)]
        most = [ranks.most(ranks.rank), ranks.most(-ranks.rank)]
        ranks.agree({"seed": 1, "name": "ä"})
        said = []
        for values in ({"seed": 1, "data": ranks.rank // 2}, {"a" * ranks.rank: 1}):
            with pytest.raises(RankError) as refused:
                ranks.agree(values)
            said.append(str(refused.value))
    return sums, [t.numpy().tobytes() for t in mine], told, most, said


def test_a_sum_has_the_same_bytes_on_any_number_of_ranks_and_nobody_computes_the_share_of_another():
    expected = {count: summed(ALONE, count)[0] for count in (3, 6, 12, 15)}
    plain = sum(torch.randn(1000, generator=torch.Generator().manual_seed(s)) * 10.0 ** (s % 7) for s in range(6))
    torch.testing.assert_close(ALONE.total(6, lambda s: torch.randn(1000, generator=torch.Generator().manual_seed(s))
                               * 10.0 ** (s % 7)), plain)  # fmt: skip
    ends = [end.value for end in together(3, talk, [3, 6, 12, 15])]
    for rank, (sums, shared, told, most, said) in enumerate(ends):
        for count, (value, asked) in zip(expected, sums, strict=True):
            assert value == expected[count]
            assert asked == list(range(count * rank // 3, count * (rank + 1) // 3))
        first = torch.tensor([1 << 31, 714, 0]).to(torch.int32), torch.tensor(0), torch.tensor([True])
        assert shared == [t.numpy().tobytes() for t in first]
        assert told == [b"first", b"", bytes(range(256))]
        assert most == [2, 0]
        assert "Process 2 of the fit differs from process 0" in said[0]
        assert "data is 1 there and 0 in process 0" in said[0]
        assert "Process 1" in said[1]


def test_slices_add_up_to_the_batch():
    """The gradient is the mean over slices: with nothing to draw, slices of equal items move as a whole batch does."""
    recipe = make("small", {"batch": 8, "eye": 0.0})

    class Same:
        """The same items whatever is asked for."""

        def __init__(self, data):
            self.data, self.spec = data, data.spec

        def draw(self, n, rng):
            return self.data.draw(4, torch.Generator().manual_seed(0)) if n == 4 else twice(self.draw(4, rng))

    def twice(batch):
        return type(batch)(*(torch.cat([part, part]) for part in batch))

    with pytest.MonkeyPatch.context() as patch:
        z = torch.randn(4, recipe.prior.dim, generator=torch.Generator().manual_seed(1))
        patch.setattr(type(recipe.prior), "draw", lambda self, n, rng: torch.cat([z] * (n // 4)))
        whole, parts = (next_state(recipe, Same(toy(recipe)), slices) for slices in (1, 2))
    for name in whole:
        torch.testing.assert_close(whole[name], parts[name], rtol=1e-3, atol=1e-5)


def next_state(recipe, data, slices):
    *_, end = train(recipe, data, steps=1, slices=slices)
    return end.state()


def alone(slices, world):
    os.environ["WORLD_SIZE"] = str(world)
    with ranks_of(slices) as ranks:
        return ranks.world


def test_processes_that_cannot_share_are_told(monkeypatch):
    with pytest.raises(OptionError, match="2 processes cannot share 3 slices alike.*--slices 4"):
        alone(3, 2)
    with pytest.raises(RankError, match="do not find each other.*RANK.*torchrun"):
        alone(4, 2)
    assert alone(1, 2) == alone(4, 1) == 1


def lost(slices):
    with ranks_of(slices) as ranks:
        if ranks.rank == 1:
            raise ValueError("of my own")
        ranks.most(0)


def test_who_leaves_with_an_error_ends_the_others():
    first, second = together(2, lost, 2)
    assert (second.error, second.said) == ("ValueError", "of my own")
    assert first.error == "RankError"
    assert "Another process of the fit has ended" in first.said
