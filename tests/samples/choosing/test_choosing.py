"""A choice refuses what its rules say, serves whole quotas of the rest, and withholds classes by name."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

import ganaug
from ganaug import Rules
from ganaug.classifier.judge import CROSSWISE
from ganaug.classifier.small import Training, train_classifier
from ganaug.data.load import load_images
from ganaug.errors import (
    ArtefactError,
    DataError,
    HarmfulError,
    LabelMismatchError,
    NumberingWarning,
    OptionError,
    SeenImagesWarning,
    TooFewImagesError,
    WithheldWarning,
)
from ganaug.files.integrity import sealed, write_atomically
from ganaug.generator.folder import run_folder, save, serving_folder
from ganaug.options import Reading
from ganaug.samples.blocks import BLOCK, Renderer
from ganaug.samples.choose import Judged
from ganaug.samples.choosing.choice import Choice
from ganaug.samples.choosing.scorers import TOGETHER, Agreement, Nearness, Newness, Realism
from ganaug.samples.pool import Pool
from ganaug.samples.run import load


class Odd:
    """A chooser that accepts images whose first pixel is odd, and withholds one class."""

    spread = 1.0

    def __init__(self, withheld: tuple[str, ...] = (), none_of: int = -1):
        self.withheld, self.none_of = withheld, none_of

    def accepts(self, images: np.ndarray, label: int) -> np.ndarray:
        return (images.reshape(len(images), -1).sum(1) % 2 == 1) & (label != self.none_of)


@pytest.fixture(scope="module", autouse=True)
def quick_judges():
    """A quarter of the steps, for digits of 8 px."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganaug.classifier.judge.CROSSWISE", replace(CROSSWISE, steps=CROSSWISE.steps // 4))
        yield


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """A run on the digits and a choice among its samples by every rule."""
    run = ganaug.fit("digits", tmp_path_factory.mktemp("choosing") / "run", steps=200, limit=30)
    rules = Rules(label=0.05, realism=0.05, manifold=0.05, copies=0.01, gate=0.3)
    return run, ganaug.choose(run, "digits", rules)


@pytest.fixture
def picky(digits_run):
    """The run with a chooser put into it by hand."""
    fitted = digits_run.load()

    def make(**given):
        return replace(fitted, choice=Odd(**given))

    return make


def test_a_block_holds_accepted_samples_only_and_is_whole(picky):
    fitted = picky()
    renderer = Renderer(fitted, 3)
    for number in range(3):
        block = renderer.block(1, number)
        assert block.shape == (BLOCK, *fitted.card.shape)
        assert fitted.choice.accepts(block, 1).all()
        assert len(np.unique(block.reshape(BLOCK, -1), axis=0)) == BLOCK, "accepted samples are drawn, not repeated"
    whole = np.concatenate([renderer.block(1, number) for number in range(3)])
    rows = [70, 3, 40, 3]
    assert np.array_equal(Renderer(fitted, 3).rows(1, rows), whole[rows]), "still a function of seed, class and row"


def test_what_is_accepted_of_the_plain_block_comes_first(picky):
    fitted = picky()
    plain = Renderer(replace(fitted, choice=None), 3).block(2, 0)
    kept = plain[fitted.choice.accepts(plain, 2)]
    assert np.array_equal(Renderer(fitted, 3).block(2, 0)[: len(kept)], kept)


def test_quotas_are_kept_and_a_withheld_class_is_not_served(picky, digits_run, tmp_path):
    fitted = picky(withheld=("3",), none_of=3)
    pool = Pool.open(fitted, {"3": 50, "5": 50}, folder=tmp_path)
    assert (pool.counts["3"], pool.counts["5"]) == (0, 50)
    with pytest.warns(NumberingWarning, match="5 for '5'"):
        out = ganaug.augment(fitted, {"3": 5, "5": 5}, tmp_path / "out")
    classes = [json.loads(line)["class"] for line in (out / "metadata.jsonl").read_text().splitlines()]
    assert classes == ["5"] * 5
    with pytest.raises(OptionError, match="nothing"):
        ganaug.augment(fitted, {"3": 5}, tmp_path / "none")


def _digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    images = load_images("digits", limit=n)
    return images.pixels[:, 0].numpy(), images.labels.numpy()


class Pictures(torch.utils.data.Dataset):
    """PIL digits with names."""

    classes = tuple("0123456789")

    def __init__(self, n: int = 6):
        from PIL import Image

        x, self.targets = _digits(n)
        self.items = [Image.fromarray(one) for one in x]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i], int(self.targets[i])


@pytest.mark.parametrize("mode", ["replace", "append", "balance"])
def test_items_of_a_withheld_class_stay_real_in_every_mode(picky, mode):
    fitted = picky(withheld=("3",))
    base = Pictures()
    mixed = ganaug.mix(base, fitted, mode=mode, ratio=None if mode == "balance" else 0.5, seed=1)
    real = {np.asarray(image).tobytes() for image, _ in base}
    made = [label for image, label in mixed if np.asarray(image).tobytes() not in real]
    assert 3 not in made
    if mode != "balance":
        assert len(made) > 10


def test_transforms_and_samplers_leave_a_withheld_class_alone(picky):
    fitted = picky(withheld=("3",))
    x, y = _digits(6)
    images, labels = torch.from_numpy(x)[:, None], torch.from_numpy(y)
    out, same = ganaug.SynthMix(fitted, ratio=1.0, pool_per_class=BLOCK)(images, labels)
    assert torch.equal(same, labels)
    assert torch.equal(out[labels == 3], images[labels == 3])
    assert (out[labels != 3] != images[labels != 3]).flatten(1).any(1).all()
    sample = ganaug.albumentations.SynthSample(fitted, p=1.0, pool_per_class=BLOCK)  # knows the path only
    sample._pool = Pool.open(fitted, dict.fromkeys(fitted.card.classes, BLOCK))
    assert np.array_equal(sample(image=x[y == 3][0], label=3)["image"], x[y == 3][0])
    assert not np.array_equal(sample(image=x[y == 4][0], label=4)["image"], x[y == 4][0])
    few = np.concatenate([np.flatnonzero(y == 3)[:2], np.flatnonzero(y == 4)[:2], np.flatnonzero(y == 5)])
    sampler = ganaug.GANSampler(fitted)
    with pytest.warns(SeenImagesWarning), pytest.warns(WithheldWarning, match="'3'"):
        _, more = sampler.fit_resample(x[few], y[few])
    assert sampler.sampling_strategy_ == {3: 0, 4: 4, 5: 0}
    assert np.bincount(more).tolist() == [0, 0, 0, 2, 6, 6]
    with pytest.raises(OptionError, match="choice"):
        ganaug.SynthMix(fitted, live=True)


def test_a_synthetic_dataset_tells_which_classes_it_lacks(picky):
    fitted = picky(withheld=("3", "5"))
    with pytest.warns(WithheldWarning, match="'3', '5'.*run in place of its choice"):
        assert set(ganaug.SyntheticDataset(fitted, per_class=2).targets) == {0, 1, 2, 4, 6, 7, 8, 9}
    with pytest.warns(WithheldWarning):
        assert len(ganaug.SyntheticDataset(fitted, plan={"3": 4})) == 0
    ganaug.SyntheticDataset(fitted, plan={"3": 0, "4": 2})  # warnings are errors here


def test_each_scorer_prefers_what_its_rule_is_about():
    digits = load_images("digits", limit=60)
    judge = train_classifier(digits.pixels, digits.labels, 10, training=Training(steps=60), seed=0)
    zeros, ones = (digits.pixels[digits.labels == label] for label in (0, 1))
    noise = torch.randint(0, 256, zeros.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    agreement = Agreement([judge, judge])
    assert np.median(agreement(zeros, 0)) > 0.9 > 0.1 > np.median(agreement(ones, 0))
    near = Nearness(judge, judge.features(zeros[:30]), torch.zeros(30, dtype=torch.int64))
    assert np.median(near(zeros[30:], 0)) > np.median(near(noise, 0))
    assert np.median(near(zeros[30:], 0)) > np.median(near(ones, 0))
    new = Newness(zeros[:30], torch.zeros(30, dtype=torch.int64))
    assert (new(zeros[:30], 0) == 0).all()
    assert (new(zeros[30:], 0) > 0).all()
    rows = zeros.double().flatten(1)
    closed = (rows[30:, None] - rows[:30]).square().sum(2).min(1).values.sqrt()
    assert np.allclose(new(zeros[30:], 0), closed.numpy(), rtol=1e-4)


def test_a_discriminator_that_looks_at_several_images_sees_whole_blocks():
    assert TOGETHER == BLOCK


@pytest.mark.long
def test_the_default_rules_withhold_classes_whose_samples_have_wrong_labels(chosen, tmp_path):
    run, _ = chosen
    swapped = ganaug.Run(shutil.copytree(run.path, tmp_path / "run"))
    fitted = run.load()
    (labels,) = (one for one in fitted.generator.modules() if isinstance(one, torch.nn.Embedding))
    with torch.no_grad():
        labels.weight.copy_(labels.weight.roll(1, 0))
    shutil.rmtree(swapped.path / "generator")
    save(swapped.path / "generator", fitted.networks, fitted.card)
    assert len(ganaug.choose(swapped, "digits").withheld) >= 8
    assert len(ganaug.choose(shutil.copytree(run.path, tmp_path / "sound"), "digits").withheld) <= 2


def test_realism_is_the_score_of_the_discriminator_on_images_in_its_range():
    class Mean(torch.nn.Module):
        def forward(self, x, y):
            return x.mean((1, 2, 3)) + y

    images = torch.full((40, 1, 4, 4), 255, dtype=torch.uint8)
    assert np.allclose(Realism(Mean(), images, torch.full((len(images),), 2))(images, 2), 3.0)


def test_a_choice_refuses_what_is_below_the_limit_of_its_class():
    choice = Choice(Rules(), ("a", "b"), {"label": lambda x, y: x[:, 0, 0, 0].double().numpy()},
                    {"label": np.array([10.0, -np.inf])}, (0.5, 0.1))  # fmt: skip
    images = np.array([9, 10, 11], dtype=np.uint8)[:, None, None, None]
    assert choice.accepts(images, 0).tolist() == [False, True, True]
    assert choice.accepts(images, 1).all()
    assert choice.withheld == ("b",)


def test_a_choice_is_kept_beside_the_run_and_served_under_its_own_name(chosen):
    run, found = chosen
    assert found.folder == run.path / "choice"
    fitted, plain = load(found.folder), load(run.path)
    assert fitted.hash != plain.hash
    assert set(found.refused["0"]) == {"label", "realism", "manifold", "copies"}
    assert fitted.choice.withheld == found.withheld
    kept = [name for name in fitted.card.classes if name not in found.withheld]
    for rule, limits in fitted.choice.limits.items():
        assert np.isfinite(limits).all(), rule
    label = fitted.card.classes.index(kept[0])
    block = Renderer(fitted, 0).block(label, 0)
    assert fitted.choice.accepts(block, label).all()
    rows = np.random.default_rng(0).permutation(len(block))[:5]  # what is said of an image is not about its neighbours
    for scorer in fitted.choice.scorers.values():
        alone = [scorer(torch.from_numpy(block[row : row + 1]), label)[0] for row in rows]
        assert np.allclose(alone, scorer(torch.from_numpy(block), label)[rows], rtol=1e-4, atol=1e-5)
    pool = Pool.open(found.folder, {kept[0]: 40})
    assert pool.path.is_relative_to(found.folder)
    assert ("not served" in "\n".join(found.lines())) == bool(found.withheld)


def test_rules_refuse_about_the_share_of_real_images_that_they_state(chosen):
    """On the images that were held out of the fit, of which judges saw none."""
    run, found = chosen
    fitted = load(found.folder)
    images = load_images("digits")
    held_out = np.isin(images.fingerprints, fitted.card.held_out)
    assert held_out.sum() >= 50
    refused = {name: 0 for name in fitted.choice.scorers}
    for label in range(10):
        rows = torch.from_numpy(np.flatnonzero(held_out & (images.labels.numpy() == label)))
        for name, passes in fitted.choice.passes(images.pixels[rows].numpy(), label).items():
            refused[name] += int((~passes).sum())
    for name, count in refused.items():
        assert count / held_out.sum() <= 0.3, name
    assert refused["label"] > 0


def test_a_limit_that_few_images_set_is_said(chosen):
    _, choice = chosen  # six held-out images a class, and the rule of realism is set on no others
    (note,) = choice.notes
    assert "'0' (6)" in note
    assert note in choice.lines()
    assert choice.to_json()["notes"] == [note]


def test_copies_of_training_images_are_refused_whatever_else_they_are(chosen):
    run, found = chosen
    fitted = load(found.folder)
    images = load_images("digits")
    rows = np.flatnonzero(np.isin(images.fingerprints, fitted.card.fingerprints))
    for row in rows[:20]:
        assert not fitted.choice.accepts(images.pixels[row : row + 1].numpy(), int(images.labels[row])).any()


def test_a_preview_of_a_choice_shows_what_is_served(picky, tmp_path):
    from PIL import Image

    kept = [str(label) for label in range(10) if label != 3]
    files = ganaug.preview(picky(withheld=("3",)), tmp_path, columns=4, frames=2)
    assert tmp_path / "grid.png" in files
    with Image.open(tmp_path / "grid.png") as some:
        whole = ganaug.preview(picky(), tmp_path / "whole", columns=4, frames=2)[0]
        with Image.open(whole) as every:
            assert some.height - 2 == (every.height - 2) * len(kept) // 10


def test_a_bench_of_a_choice_leaves_its_verdict_with_it_and_names_what_is_withheld(chosen, tmp_path):
    run, found = chosen
    results = ganaug.bench(
        "digits", run=found.folder, out=tmp_path / "bench", quick=True, model="small", remedies=("none",), steps=10,
        seeds=2, ratios=(0.5,), uses=("plain",),
    )  # fmt: skip
    assert results.data["generator"] == load(found.folder).hash
    assert (found.folder / "verdict.json").exists()
    assert not (run.path / "verdict.json").exists()
    assert any("withholds" in note for note in results.data["notes"]) == bool(found.withheld)
    counts = results.data["data"]["synthetic"]["counts"]
    served = {name for name, n in zip(results.data["classes"], counts, strict=True) if n}
    assert served == set(results.data["classes"]) - set(found.withheld) != set()


def test_a_choice_has_the_harm_of_its_run_until_it_is_benched_itself(chosen, tmp_path):
    run, found = chosen
    folder = Path(shutil.copytree(run.path, tmp_path / "run"))
    (folder / "choice" / "verdict.json").unlink(missing_ok=True)
    verdict = {"verdict": "harms", "mode": "replace", "ratio": 0, "generator": load(folder).hash}
    (folder / "verdict.json").write_bytes(sealed(verdict))
    with pytest.raises(HarmfulError):
        ganaug.SyntheticDataset(folder / "choice", per_class=2)
    own = {**verdict, "verdict": "no evidence", "generator": load(folder / "choice").hash}
    withheld, quick, foreign = {"verdict": "withheld"}, {"settings": {"quick": True}}, {"data": {"of the fit": False}}
    for change in (withheld, quick, foreign, {"generator": "0" * 64}):  # it says less than the run's
        (folder / "choice" / "verdict.json").write_bytes(sealed({**own, **change}))
        with pytest.raises(HarmfulError):
            ganaug.SyntheticDataset(folder / "choice", per_class=2)
    (folder / "choice" / "verdict.json").write_bytes(sealed(own))
    served = {name: 2 for name in load(folder).card.classes if name not in found.withheld}
    assert len(ganaug.SyntheticDataset(folder / "choice", plan=served)) == 2 * len(served) > 0


def test_a_choice_that_harms_is_not_served_whatever_the_run_does(chosen, tmp_path):
    run, _ = chosen
    folder = Path(shutil.copytree(run.path, tmp_path / "run"))
    verdict = {"verdict": "no evidence", "mode": "replace", "ratio": 0, "generator": load(folder).hash}
    (folder / "verdict.json").write_bytes(sealed(verdict))
    own = {**verdict, "verdict": "harms", "generator": load(folder / "choice").hash, "settings": {"quick": True}}
    (folder / "choice" / "verdict.json").write_bytes(sealed(own))
    with pytest.raises(HarmfulError):
        ganaug.SyntheticDataset(folder / "choice", per_class=2)


@pytest.mark.long
def test_benches_of_a_choice_and_of_its_run_are_counted_together(chosen, tmp_path):
    run, _ = chosen
    folder = Path(shutil.copytree(run.path, tmp_path / "run"))
    (folder / "choice" / "verdict.json").unlink(missing_ok=True)
    few = {"model": "small", "remedies": (), "steps": 5, "seeds": 2, "ratios": (0.5,), "uses": ("plain",)}
    for times, place in enumerate((folder, folder / "choice", folder), 1):
        results = ganaug.bench("digits", run=place, out=tmp_path / f"bench{times}", seed=times, **few)
        assert results.data["looks"] == times
        page = results.report_path.read_text()
        assert ("nothing has to be corrected" in page) == (times == 1)
    assert "benched before" in " ".join(results.data["notes"])
    assert len(ganaug.Run(folder).verdict["benches"]) == 3
    again = ganaug.bench("digits", run=folder / "choice", out=tmp_path / "bench2", seed=2, **few)
    assert again.data["looks"] == 3  # those of the run, of seeds 1 and 3, and itself once
    assert len(ganaug.Run(folder / "choice").verdict["benches"]) == 3


@pytest.mark.long
def test_making_the_same_choice_again_gives_the_same_bytes(chosen):
    run, found = chosen
    files = {file.name: file.read_bytes() for file in found.folder.iterdir() if file.is_file()}
    again = ganaug.choose(run, "digits", found.rules)
    assert {file.name: file.read_bytes() for file in again.folder.iterdir() if file.is_file()} == files


def test_an_altered_choice_and_one_of_another_generator_are_refused(chosen, tmp_path):
    import shutil

    run, found = chosen
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    for name in ("choice.json", "choice.safetensors", "manifest.json"):
        file = copy / "choice" / name
        whole = file.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
            with pytest.raises(ArtefactError):
                load(copy / "choice")
        file.write_bytes(whole)
    load(copy / "choice")
    other = ganaug.fit("digits", tmp_path / "other", steps=3, limit=30)
    shutil.copytree(copy / "choice", other.path / "choice")
    with pytest.raises(ArtefactError, match="another generator"):
        load(other.path / "choice")
    generator_alone = tmp_path / "alone"
    shutil.copytree(run.path / "generator", generator_alone)
    with pytest.raises(ArtefactError, match="run folder"):
        ganaug.choose(generator_alone, "digits")


def test_fields_of_a_choice_are_checked_one_by_one(chosen, tmp_path):
    """Even where the manifest vouches for them."""
    import shutil

    from ganaug.files.integrity import write_manifest

    run, found = chosen
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    folder = copy / "choice"
    values, tensors = json.loads((folder / "choice.json").read_text()), (folder / "choice.safetensors").read_bytes()
    wrong = [
        {"schema": 2}, {"judges": 0}, {"judges": 2}, {"judges": 10**9}, {"classes": ["0"]}, {"limits": {}},
        {"accepted": [1.0]}, {"accepted": [2.0] * 10}, {"more": 1}, {"rules": {}},
        {"rules": values["rules"] | {"spread": 0.0}}, {"rules": values["rules"] | {"label": "0.1"}},
        {"limits": values["limits"] | {"label": [0.0]}}, {"limits": values["limits"] | {"label": ["a"] * 10}},
    ]  # fmt: skip
    for change in wrong:
        content = json.dumps(values | change).encode()
        write_manifest(folder, {"choice.json": content, "choice.safetensors": tensors})
        with pytest.raises(ArtefactError):
            load(folder)
    write_atomically(folder / "choice.json", b"{")
    with pytest.raises(ArtefactError):
        load(folder)


@pytest.mark.parametrize("given", [{"label": 1.0}, {"copies": -0.1}, {"spread": 0}, {"spread": float("nan")},
                                   {"gate": 0.0}, {"realism": float("nan")}])  # fmt: skip
def test_impossible_rules_are_refused(given):
    with pytest.raises(OptionError):
        Rules(**given)


def test_data_that_the_run_never_saw_are_refused(chosen):
    run, _ = chosen
    x, y = _digits(30)
    with pytest.raises(TooFewImagesError, match="part of the fit"):
        ganaug.choose(run, (255 - x, y))
    images = load_images("digits")
    with pytest.raises(DataError, match="are not in the data"):
        ganaug.choose(run, images.take(np.arange(0, len(images), 2)))
    with pytest.raises(LabelMismatchError, match="only 0 in this data have that label"):
        ganaug.choose(run, replace(images, labels=images.labels.where(images.labels != 0, 1)))
    with pytest.raises(LabelMismatchError):
        ganaug.choose(run, TensorDataset(torch.from_numpy(x)[:, None], torch.from_numpy(y + 7)))


def test_a_spread_that_would_change_nothing_is_refused(tmp_path):
    found = {}
    for recipe in ("small", "dcgan"):
        run = ganaug.fit("digits", tmp_path / recipe, recipe=recipe, steps=1, limit=6)
        try:
            ganaug.choose(run, "digits", Rules(label=0, copies=0, spread=1.3, gate=0.1))
            found[recipe] = "chosen"
        except OptionError as error:
            found[recipe] = str(error)
    assert "direction of a latent only" in found["small"]
    assert found["dcgan"] == "chosen"


@pytest.mark.parametrize("recipe", ["cramer", "aae"])
def test_a_discriminator_that_does_not_score_images_is_said(tmp_path, recipe):
    run = ganaug.fit("digits", tmp_path / "run", recipe=recipe, steps=1, limit=6)
    with pytest.raises(OptionError, match="does not score single images"):
        ganaug.choose(run, "digits", Rules(realism=0.1))


def test_a_choice_beside_a_run_that_has_none_is_refused(chosen, tmp_path):
    import shutil

    run, found = chosen
    x, y = _digits(8)
    other = ganaug.fit((x[y < 2], y[y < 2]), tmp_path / "other", recipe="context_encoder", steps=1)
    shutil.copytree(found.folder, other.path / "choice")
    with pytest.raises(ArtefactError, match="nothing is chosen"):
        load(other.path / "choice")


def test_a_choice_is_known_by_its_place_however_it_is_written(chosen, tmp_path, monkeypatch):
    run, found = chosen
    (tmp_path / "link").symlink_to(found.folder, target_is_directory=True)
    monkeypatch.chdir(found.folder)
    for written in (found.folder, tmp_path / "link", Path("."), Path("..") / "choice"):
        fitted = load(written)
        assert fitted.hash == load(found.folder).hash != load(run).hash, written
        assert serving_folder(written) == found.folder.resolve(), written
        assert run_folder(written) == run.path.resolve(), written


def test_groups_of_the_fit_are_judged_whole(tmp_path):
    x, y = _digits(12)
    x, y = x[y < 3], y[y < 3]
    groups = np.array([f"{label}-{i % 4}" for i, label in enumerate(y)])
    run = ganaug.fit((x, y), tmp_path / "run", steps=1, groups=groups)
    judged = Judged(run, (x, y), Reading(groups=groups))
    for group in set(judged.seen.groups):
        assert len(set(judged.fold[np.array(judged.seen.groups) == group])) == 1
    for label in range(3):
        assert len(set(judged.fold[judged.seen.labels.numpy() == label])) >= 2
    one = np.array([f"{label}" if label == 2 else f"{label}-{i % 4}" for i, label in enumerate(y)])
    run = ganaug.fit((x, y), tmp_path / "other", steps=1, groups=one)
    with pytest.raises(TooFewImagesError, match="in 1 groups"):
        ganaug.choose(run, (x, y), groups=one)


@pytest.mark.filterwarnings("ignore::ganaug.errors.NumberingWarning", "ignore::ganaug.errors.NoEvidenceWarning")
def test_the_command_counts_what_is_served(chosen, tmp_path):
    from click.testing import CliRunner

    from ganaug.cli.group import cli

    run, found = chosen
    out = tmp_path / "out"
    done = CliRunner().invoke(
        cli, ["augment", str(found.folder), "--per-class", "2", "--out", str(out), "--json", "-q"]
    )
    assert done.exit_code == 0, done.output
    plan = json.loads(done.stdout)["plan"]
    assert plan == {name: 0 if name in found.withheld else 2 for name in plan}
    assert len(list(out.rglob("*.png"))) == sum(plan.values())
