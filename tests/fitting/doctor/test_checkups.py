"""Check-ups of networks whose faults are known, and the doctor at work during a fit."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import ganaug
from ganaug.cli.group import cli
from ganaug.data.load import load_images
from ganaug.data.spec import ImageCodec
from ganaug.data.split import hold_out
from ganaug.errors import DataError, LabelMismatchError
from ganaug.fitting.doctor.ailments import AILMENTS, Past, ailment
from ganaug.fitting.doctor.checkup import Examiner, Labelled, copies
from ganaug.fitting.doctor.findings import findings
from ganaug.fitting.doctor.texture import contrast
from ganaug.fitting.doctor.watch import mended
from ganaug.game import Adam
from ganaug.game.batches import batches_for
from ganaug.game.train import train
from ganaug.generator.interventions import Intervention
from ganaug.networks.eyes import AffineEye
from ganaug.recipes import make
from scripts.studies import reference
from tests.toys.too_fast import TOO_FAST

TINY = {"width": 8, "widest": 16, "batch": 32}
CPU = torch.device("cpu")


class Bank(nn.Module):
    """A generator that answers with images of a bank: real ones that the fit did not see make it a perfect one."""

    def __init__(self, images, change=lambda x, y: (x, y)):
        super().__init__()
        self.images, self.change = images, change

    def forward(self, z, y):
        out = []
        for number, label in enumerate(y.tolist()):
            rows = (self.images.labels == label).nonzero()[:, 0]
            out.append(self.images.pixels[rows[number % len(rows)]])
        return self.change(ImageCodec.encode(torch.stack(out)), y)[0]


@pytest.fixture(scope="module")
def parts():
    """Digits: what gradients see, what is held out, and as many that nobody knows."""
    known, unknown = hold_out(load_images("digits"), fraction=0.4, seed=3)
    return *hold_out(known, seed=0), unknown


@pytest.fixture(scope="module")
def examiner(parts):
    training, validation, _ = parts
    recipe = make("small", TINY)
    return Examiner(recipe, batches_for(recipe, training, CPU), batches_for(recipe, validation, CPU), 0, CPU)


def test_few_images_accuse_nobody_of_copying(parts):
    """Honest samples, real images that nobody saw, beside few of the fit; over many divisions of them."""
    training, validation, unknown = (flat(part) for part in parts)
    for each in (2, 4, 8, 16, 24):
        shares = []
        for seed in range(20):
            seen, held = chosen(training, each, seed), chosen(validation, each // 4 + 1, seed)
            shares.append(copies(chosen(unknown, 20, seed), seen, held))
            assert not copies(seen, seen, held) < 0.5
        assert sum(share > 0.1 for share in shares) <= 1, (each, shares)
    assert not np.isnan(shares).any()  # the last ones were judged


def test_one_odd_class_does_not_hide_a_copying_generator(parts):
    training, validation, _ = (flat(part) for part in parts)
    seen, held = chosen(training, 40, 0), chosen(validation, 10, 0)
    for change in ("pairs", "one picture"):
        x, y = seen[0].clone(), seen[1]
        if change == "pairs":
            x[5:10] = x[:5].clone() + 1e-4  # five pictures of the first class are there twice
        else:
            x[y == 0] = x[0].clone()
        assert copies(Labelled(x[y > 0] + 1e-3, y[y > 0]), Labelled(x, y), held) > 0.8


def test_samples_that_are_not_numbers_do_not_end_a_check_up(examiner, parts):
    def half_nan(x, y):
        x[::2] = float("nan")
        return x, y

    checkup = examined(examiner, Bank(parts[2], half_nan))
    assert len(checkup.agreement) == 10


def mixed_up(x, rng):
    """The same pixels of each image, in another order for each."""
    return torch.stack([image.flatten()[torch.randperm(image.numel(), generator=rng)].view_as(image) for image in x])


def flat(images):
    return ImageCodec.encode(images.pixels).flatten(1), images.labels


def chosen(part, each, seed):
    """So many items of each class."""
    x, y = part
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    rows = torch.cat([order[y[order] == c][:each] for c in range(10)])
    return Labelled(x[rows], y[rows])


def names(checkup, parts):
    return {f.name for f in findings(Past(parts[0].classes, parts[0].counts(), [checkup], (), checkup.step))}


def examined(examiner, generator, **others):
    return examiner.examine({"generator": generator, "eye": AffineEye(), **others}, 100)


def test_real_images_in_the_generators_place_are_healthy(examiner, parts):
    checkup = examined(examiner, Bank(parts[2]))
    assert names(checkup, parts) == set()
    assert min(checkup.spread) > 0.8
    assert checkup.copies <= 0.05
    assert abs(checkup.leaking) < 0.3


def test_planted_generators_are_seen_through(examiner, parts):
    training, _, unknown = parts
    turned = replace(unknown, labels=torch.where(unknown.labels < 2, 1 - unknown.labels, unknown.labels))
    one_each = unknown.take([int((unknown.labels == c).nonzero()[0]) for c in range(10)])
    eye = AffineEye(shift=0.3, turn=40, zoom=0.3, p=1.0)
    augmented = Bank(unknown, lambda x, y: (eye(x, torch.Generator().manual_seed(0)), y))
    assert names(examined(examiner, Bank(training)), parts) == {"copies of training images"}
    assert "labels swapped" in names(examined(examiner, Bank(turned)), parts)
    assert "mode collapse" in names(examined(examiner, Bank(one_each)), parts)
    assert "augmentation leaks" in names(examined(examiner, augmented, eye=eye), parts)


def test_poor_samples_are_not_called_augmented(examiner, parts):
    """Blurred, faint or noisy ones, and ones that stand a little off, beside an eye that moves things far."""
    eye, little = AffineEye(shift=0.3, turn=40, zoom=0.3, p=1.0), AffineEye(shift=0.03, turn=5, zoom=0.05, p=1.0)
    rng = torch.Generator().manual_seed(0)
    spoils = {
        "blurred": lambda x: torch.nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False),
        "faint": lambda x: 0.5 * x - 0.5,
        "noisy": lambda x: (x + 0.3 * torch.randn(x.shape, generator=rng)).clamp(-1, 1),
        "a little off": lambda x: little(x, rng),
    }
    for name, spoil in spoils.items():
        checkup = examined(examiner, Bank(parts[2], lambda x, y, spoil=spoil: (spoil(x), y)), eye=eye)
        assert checkup.leaking < 0.35, name


def test_samples_that_look_like_nothing_are_not_called_swapped(examiner, parts):
    rng = torch.Generator().manual_seed(0)
    noise = Bank(parts[2], lambda x, y: (mixed_up(x, rng), y))
    found = names(examined(examiner, noise), parts)
    assert found == {"chequered or noisy samples"}
    any_class = Bank(parts[2], lambda x, y: (x[torch.randperm(len(x), generator=rng)], y))
    found = names(examined(examiner, any_class), parts)
    assert found == {"samples at chance"}


def test_flat_and_chequered_samples_are_seen(examiner, parts):
    chequers = (-1.0) ** torch.arange(8)
    flat = examined(examiner, Bank(parts[2], lambda x, y: (0.05 * x, y)))
    assert "flat samples" in names(flat, parts)
    chequered = examined(examiner, Bank(parts[2], lambda x, y: (0.3 * x + 0.7 * chequers * chequers[:, None], y)))
    assert "chequered or noisy samples" in names(chequered, parts)
    assert examined(examiner, Bank(parts[2], lambda x, y: (x.roll(1, 3), y))).chequered < 0.1
    rows = torch.rand(8, 3), torch.arange(8) % 2
    assert np.isnan(contrast(*rows, *rows, 2)).all()


def test_a_discriminator_that_knows_its_images_by_heart(examiner, parts):
    class ByHeart(nn.Module):
        def __init__(self, images):
            super().__init__()
            self.known = ImageCodec.encode(images.pixels).flatten(1)

        def forward(self, x, y):
            return -torch.cdist(x.flatten(1), self.known).amin(1)

    class Open(nn.Module):
        def forward(self, x, rng):
            return x

    checkup = examined(examiner, Bank(parts[2]), discriminator=ByHeart(parts[0]), eye=Open())
    assert checkup.prefers_seen > 0.95
    assert "discriminator overfits" in names(checkup, parts)
    blind = examined(examiner, Bank(parts[2]), discriminator=lambda x, y: torch.zeros(len(x)))
    assert blind.prefers_seen == blind.prefers_real == 0.5


def test_looking_changes_nothing(parts):
    recipe = make("dcgan", {"width": 8, "batch": 16})
    training, validation, _ = parts
    batches = batches_for(recipe, training, CPU)
    ends = []
    for look in (False, True):
        examiner = Examiner(recipe, batches, batches_for(recipe, validation, CPU), 0, CPU)
        for p in train(recipe, batches, steps=6):
            if look and p.step:
                examiner.examine(p.networks(), p.step)
        ends.append(p.state())
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


KINDS = ["vae", "aae", "bigan", "cyclegan", "context_encoder", "infogan", "wgan_gp", "cramer"]
UNSCORED = {"vae", "aae", "cramer"}  # no discriminator, one of latents, one that gives embeddings


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_game_can_be_looked_at(name, parts):
    training, validation, _ = parts
    if name == "cyclegan":
        training, validation = (
            replace(part.take((part.labels < 2).nonzero()[:, 0]), classes=("0", "1")) for part in (training, validation)
        )
    recipe = make(name, {})
    batches = batches_for(recipe, training, CPU)
    *_, end = train(recipe, batches, steps=1)
    checkup = Examiner(recipe, batches, batches_for(recipe, validation, CPU), 0, CPU).examine(end.networks(), 1)
    assert len(checkup.spread) == len(training.classes)
    assert all(value >= 0 for value in checkup.spread)
    assert np.isnan([checkup.prefers_seen, checkup.prefers_real]).all() == (name in UNSCORED)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return ganaug.fit("digits", tmp_path_factory.mktemp("watched") / "run", options=TINY, steps=200, limit=40)


def test_a_fit_makes_check_ups_that_the_doctor_reads(run):
    diagnosis = ganaug.doctor(run)
    assert [checkup.step for checkup in diagnosis.checkups] == [100, 200]
    assert diagnosis.findings[0].name == "far too few steps"  # 200 of 3000
    shown = CliRunner().invoke(cli, ["doctor", str(run.path)])
    assert shown.exit_code == 0
    for finding in diagnosis.findings:
        assert finding.name in shown.output
        assert finding.knob in shown.output


def test_an_ailment_is_one_function(run, monkeypatch):
    """What is listed is found, shown by the command with its knob, and named in its help."""
    monkeypatch.setitem(AILMENTS, "hiccups", None)  # to be taken off the list afterwards

    @ailment("hiccups", "fault", "Hold the breath.", brings=["no convergence"])
    def _hiccups(past):
        yield f"{len(past.checkups)} in {past.steps} rounds.", (past.classes[0],)

    assert [f.text for f in findings(Past(("a",), {"a": 50}, (), (), 9)) if f.name == "hiccups"] == ["0 in 9 rounds."]
    told = CliRunner().invoke(cli, ["doctor", str(run.path)]).output
    assert f"fault: hiccups ({ganaug.load(run).card.classes[0]})" in told
    assert "2 in 200 rounds." in told
    assert "Try: Hold the breath." in told
    assert "hiccups" in CliRunner().invoke(cli, ["doctor", "--help"]).output
    assert "| `hiccups` | fault | Hold the breath. |" in reference.render()


def test_help_names_what_is_looked_for_and_does_not_wait_for_torch():
    code = (
        "import sys\nfrom ganaug.cli.group import cli\n"
        "try: cli(['doctor', '--help'])\nexcept SystemExit: assert 'torch' not in sys.modules"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert all(name in " ".join(shown.split()) for name in AILMENTS)


def test_a_generator_alone_is_looked_at_with_its_data(run):
    alone = run.path / "generator"
    diagnosis = ganaug.doctor(alone, load_images("digits", limit=40))
    assert [checkup.step for checkup in diagnosis.checkups] == [100, 200]
    with pytest.raises(LabelMismatchError):
        ganaug.doctor(alone, load_images("digits", limit=40).take([0, 1, 2]).unlabelled())


def test_without_past_and_data_it_says_so(run, tmp_path):
    import shutil

    shutil.copytree(run.path / "generator", tmp_path / "shared")
    with pytest.raises(DataError, match="has no past"):
        ganaug.doctor(tmp_path / "shared")
    assert len(ganaug.doctor(tmp_path / "shared", "digits").checkups) == 1


def test_a_knob_is_turned_once_and_a_resume_keeps_it():
    recipe = make("small", TINY)
    d, g = recipe.players
    fast = replace(recipe, players=(replace(d, optimiser=Adam(lambda progress: 0.1)), g))
    turned = mended(fast, [Intervention("fix", 100, 100, "discriminator overfits"), Intervention("retry", 1, 0, "nan")])
    assert turned.players[0].optimiser.lr(0.3) == pytest.approx(0.05)
    assert turned.players[1] == g
    for fix in [one.fix for one in AILMENTS.values() if one.fix]:
        changed = fix.change(recipe)
        assert fix.words
        assert changed.players[0].optimiser.lr < d.optimiser.lr


@pytest.mark.long
def test_auto_fix_cures_a_discriminator_that_is_too_fast(tmp_path):
    """Half-way the doctor cuts its learning rate; the log and the card say so."""
    said = []
    run = ganaug.fit(
        "digits", tmp_path / "run", recipe=TOO_FAST, steps=200, limit=40, auto_fix=True,
        report=lambda phase, done, total, detail="": said.append((phase, detail)),
    )  # fmt: skip
    (fix,) = [one for one in ganaug.load(run, recipe=lambda settings: make("small", TINY)).card.interventions
              if one.kind == "fix"]  # fmt: skip
    assert fix.cause == "no convergence"  # its loss is near zero and that of the generator rises
    assert fix.step == 100
    assert any(phase == "doctor" and "cut to a quarter" in detail for phase, detail in said)
