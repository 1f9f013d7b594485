"""A whole bench, with a stand-in classifier: what it chooses, writes, caches, drops and refuses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from matplotlib.axes import Axes
from PIL import Image

from ganaug.classifier.small import Training
from ganaug.cli.group import cli
from ganaug.data.duplicates.seen import Known
from ganaug.data.load import load_images
from ganaug.data.sources.arrays import from_arrays
from ganaug.errors import DataError, LabelMismatchError, LeakError, OptionError, OutputInUseError, TooFewImagesError
from ganaug.evaluation.bench.figures import shares_plot
from ganaug.evaluation.bench.record import recall_changes
from ganaug.evaluation.bench.report import told_apart
from ganaug.evaluation.bench.run import bench
from ganaug.evaluation.bench.unseen import keep_unseen
from ganaug.evaluation.trials.arms import Arm
from ganaug.evaluation.trials.learner import Menu
from ganaug.evaluation.trials.parts import Part, Parts
from ganaug.evaluation.trials.small import SmallLearner
from ganaug.evaluation.trials.trial import Laboratory, Trial
from ganaug.files.integrity import sealed, unsealed
from ganaug.fitting.fit import fit
from ganaug.reporting import silent
from scripts.studies import duplicates
from tests.toys.bench import NearestMean, images
from tests.toys.images import noise_folder

SMALL = {"model": "small", "remedies": ("augmentation",)}
QUICK = {"quick": True, "ratios": (0.25, 0.5), "seeds": 3, **SMALL}
pytestmark = pytest.mark.usefixtures("quick_classifier")


def toy_bench(out: Path, **changes):
    given = {"data": images(20, 0), "test": images(40, 1), "synthetic": images(30, 2), "out": out, **QUICK, **changes}
    return bench(given.pop("data"), **given)


def test_writes_everything_that_a_reader_needs(tmp_path: Path):
    results = toy_bench(tmp_path / "out")
    assert re.fullmatch(r"Results\('.*out', synthetic images: [a-z ]+, what helps most: [a-z ]+\)", repr(results))
    assert escape(results.data["sentence"]) in results._repr_html_()
    assert f'<a href="{results.report_path}">' in results._repr_html_()
    data = json.loads((tmp_path / "out" / "results.json").read_text())
    assert data == results.data
    assert data["verdict"] in {"helps", "no evidence", "harms"}
    assert (data["ratio"] > 0) == (data["verdict"] == "helps")
    assert data["mode"] == "replace"
    assert len(data["trials"]) == len(list((tmp_path / "out" / "trials").iterdir()))
    assert {"torch", "timm"} <= set(data["versions"])
    assert data["classes"] == ["ant", "bee", "cat"]
    assert data["data"]["train"]["counts"] == [16, 16, 16]
    for line in (f"verdict: {results.verdict}", "accuracy", "classical augmentation", "% synthetic", "Next: "):
        assert line in results.table()


def test_arms_are_tried_alike_and_the_test_set_is_used_for_the_selected_ones_only(tmp_path: Path):
    data = toy_bench(tmp_path / "out", quick=False).data
    kinds = {arm["kind"] for arm in data["validation"]}
    assert kinds == {"real", "real+augmentation", data["arms"]["with"]["kind"]}
    assert len({(trial["training"]["steps"], trial["training"]["batch"]) for trial in data["trials"]}) == 1
    on_test = [trial for trial in data["trials"] if trial["on"] == ["test"]]
    tested = {json.dumps(trial["training"]) for trial in on_test}
    assert len(tested) <= 4  # as it is, the best with augmentation, the best, and that with synthetic images
    seeds = [[trial["seed"] for trial in on_test if json.dumps(trial["training"]) == one] for one in tested]
    assert all(one == seeds[0] for one in seeds)
    seeds_of_choice = {trial["seed"] for trial in data["trials"] if trial["on"] == ["validation"]}
    assert not seeds_of_choice & set(seeds[0])
    without, mixed = data["arms"]["without"], data["arms"]["with"]
    shared = ("classifier", "augmentation", "blend", "remedy", "longer", "knobs", "networks", "shift")
    assert [without[name] for name in shared] == [mixed[name] for name in shared]
    assert without["ratio"] == 0 < mixed["ratio"]


def test_the_baseline_is_tuned_in_everything_before_synthetic_images_are_tried(tmp_path: Path):
    tried = toy_bench(tmp_path / "out", quick=False).data["validation"]
    real = [arm for arm in tried if arm["ratio"] == 0]
    assert tried[: len(real)] == real
    assert {arm["augmentation"] for arm in real} == {"none", "crops", "affine", "flips", "trivial", "randaugment"}
    assert {arm["blend"] for arm in real} == {"none", "mixup", "cutmix"}
    assert len({arm["knobs"]["lr"] for arm in real}) == 4
    assert len({arm["knobs"]["weight decay"] for arm in real}) == 3
    assert {(arm["use"], arm["ratio"]) for arm in tried if arm["ratio"]} == {
        (use, ratio) for use in ("plain", "light") for ratio in QUICK["ratios"]
    }


def test_quick_tries_shares_only_where_they_can_be_chosen(tmp_path: Path):
    data = toy_bench(tmp_path / "out", quick=True).data
    mixed = [arm for arm in data["validation"] if arm["ratio"] > 0]
    plain = max((arm for arm in mixed if arm["use"] == "plain"), key=lambda arm: arm["mean"])
    expected = [(ratio, "plain") for ratio in QUICK["ratios"]] + [(plain["ratio"], "light")]
    assert [(arm["ratio"], arm["use"]) for arm in mixed] == expected
    assert {arm["augmentation"] for arm in mixed} == {data["arms"]["without"]["augmentation"]}


@pytest.mark.parametrize("quick", [True, False])
def test_the_number_of_trials_is_known_about_before(tmp_path: Path, quick: bool):
    told = []
    data = toy_bench(tmp_path / "out", quick=quick, report=lambda *said: told.append(said)).data
    totals = {total for phase, _, total, _ in told if phase == "trials"}
    assert min(totals) <= len(data["trials"]) == max(totals)
    assert len(data["trials"]) <= 1.5 * min(totals)
    first = next(i for i, said in enumerate(told) if said[0] == "trials")
    assert any("accuracy" in said[3] for said in told[:first])  # the metric is told before any result


def test_the_page_does_without_validation_curves(tmp_path: Path):
    results = toy_bench(tmp_path / "out")
    assert [results.data["arms"][side]["watched"] for side in ("without", "with")] == [[0.25, 0.5]] * 2
    assert "accuracy on validation images during" in results.report_path.read_text()
    for file in (tmp_path / "out" / "trials").iterdir():
        stored = unsealed(file.read_bytes(), file)
        stored["watched"] = []
        file.write_bytes(sealed(stored))
    again = toy_bench(tmp_path / "out")
    assert again.data["trained"] == 0
    assert again.data["arms"]["with"]["watched"] == []
    assert "accuracy on validation images during" not in again.report_path.read_text()


def test_an_interrupted_bench_goes_on_where_it_was(tmp_path: Path, quick_classifier: NearestMean):
    whole = toy_bench(tmp_path / "whole").data
    needed, quick_classifier.trainings = quick_classifier.trainings, 0
    quick_classifier.stop_after = 5
    with pytest.raises(KeyboardInterrupt):
        toy_bench(tmp_path / "out")
    quick_classifier.stop_after = None
    resumed = toy_bench(tmp_path / "out").data
    assert quick_classifier.trainings == needed
    assert resumed["trained"] == needed - 5
    assert resumed["difference"] == whole["difference"]
    again = toy_bench(tmp_path / "out").data
    assert again["trained"] == 0
    assert again["validation"] == whole["validation"]


def test_more_seeds_reuse_what_is_there(tmp_path: Path):
    first = toy_bench(tmp_path / "out", seeds=2).data
    more = toy_bench(tmp_path / "out", seeds=4).data
    tested = {json.dumps(trial["training"]) for trial in more["trials"] if trial["on"] == ["test"]}
    assert more["trained"] == 2 * len(tested)
    assert more["difference"]["per_seed"][:2] == first["difference"]["per_seed"]


@pytest.mark.long
@pytest.mark.parametrize("damage", ["", "{}", "[1]", '{"logs": [0, 1]}', "null"])
def test_a_damaged_trial_is_trained_again(tmp_path: Path, damage: str):
    whole = toy_bench(tmp_path / "out").data
    for file in list((tmp_path / "out" / "trials").iterdir())[:2]:
        file.write_text(damage)
    again = toy_bench(tmp_path / "out").data
    assert again["trained"] == 2
    assert again["difference"] == whole["difference"]


def test_other_images_or_settings_are_other_trials(tmp_path: Path):
    first = toy_bench(tmp_path / "out").data
    assert toy_bench(tmp_path / "out", synthetic=images(30, 3)).data["trained"] < first["trained"]  # the real arms stay
    assert toy_bench(tmp_path / "out", data=images(20, 4)).data["trained"] == first["trained"]


def test_one_seed_withholds_the_verdict(tmp_path: Path):
    data = toy_bench(tmp_path / "out", seeds=1).data
    assert (data["verdict"], data["ratio"]) == ("withheld", 0)
    assert "One seed" in data["sentence"]


def test_a_class_missing_from_the_test_set_withholds_the_verdict(tmp_path: Path):
    data = toy_bench(tmp_path / "out", test=images(40, 1, classes=("ant", "bee"))).data
    assert data["verdict"] == "withheld"
    assert "no image of 'cat'" in data["sentence"]
    assert data["arms"]["with"]["recall"][2] is None
    assert (tmp_path / "out" / "report.html").exists()


def test_few_seen_test_images_are_dropped_and_listed(tmp_path: Path):
    train, test = images(20, 0), images(40, 1)
    test.array[[3, 50]] = train.array[[7, 8]]
    data = toy_bench(tmp_path / "out", data=train, test=test).data
    assert data["dropped"] == ["item 3", "item 50"]
    assert data["data"]["test"]["images"] == 118
    assert "2 test images were seen before" in toy_bench(tmp_path / "out", data=train, test=test).table()


def test_flipped_and_brighter_copies_in_the_test_set_are_dropped_too(tmp_path: Path):
    train, test = images(20, 0), images(40, 1)
    test.array[3] = train.array[7][:, ::-1]
    test.array[50] = train.array[8] // 2 + 60
    assert toy_bench(tmp_path / "out", data=train, test=test).data["dropped"] == ["item 3", "item 50"]


@pytest.mark.long
def test_copies_within_the_test_set_count_once(tmp_path: Path):
    """Forty times the same test images are no more evidence than once."""
    train, test = images(20, 0), images(20, 1)
    many = from_arrays(np.tile(test.array, (40, 1, 1)), np.tile(test.labels, 40), classes=test.classes)
    once, often = (toy_bench(tmp_path / name, data=train, test=part).data for name, part in (("a", test), ("b", many)))
    assert any("2340 test images are copies" in note for note in often["notes"])
    assert not any("copies of other" in note for note in once["notes"])
    a, b = (data["difference"]["high"] - data["difference"]["low"] for data in (once, often))
    assert b == pytest.approx(a, rel=0.2)


def test_copies_of_a_few_pictures_are_too_few_to_judge(tmp_path: Path):
    test = images(2, 1)
    many = from_arrays(np.tile(test.array, (100, 1, 1)), np.tile(test.labels, 100), classes=test.classes)
    data = toy_bench(tmp_path / "out", data=images(20, 0), test=many).data
    assert data["verdict"] == "withheld"
    assert any("6 test images are too few" in reason for reason in data["reasons"])
    assert set(map(type, data["recall"])) == {type(None)}


def test_the_pair_of_a_leak_is_named_whatever_is_known_of_the_images(tmp_path: Path):
    train, test, folder = images(20, 0), images(40, 1), images(30, 2)
    test.array[:12] = folder.array[:12]
    with pytest.raises(LeakError, match="item 0 is like item 0") as caught:
        toy_bench(tmp_path / "out", data=train, test=test, synthetic=folder)
    assert "--exact-only" not in str(caught.value.fix)
    bare = replace(load_images(train), likenesses=())
    test.array[:12] = train.array[:12]
    with pytest.raises(LeakError, match="12 of 120"):
        toy_bench(tmp_path / "out", data=bare, test=test)


def test_look_alikes_can_be_kept_and_are_told_of(tmp_path: Path):
    train, test = images(20, 0), images(40, 1)
    test.array[:12] = train.array[:12, :, ::-1]
    test.array[20] = train.array[20]
    with pytest.raises(LeakError, match=r"item 0 is like item 0; item 1 is like item 1; .*and 10 more") as caught:
        toy_bench(tmp_path / "out", data=train, test=test)
    assert "--exact-only" in str(caught.value.fix)
    data = toy_bench(tmp_path / "out", data=train, test=test, exact_only=True).data
    assert data["dropped"] == ["item 20"]
    assert data["exact only"]
    assert "--exact-only" in data["command"]
    assert any("--exact-only). 12 other test images look like" in note for note in data["notes"])


def test_what_withholds_a_verdict_is_told_before_anything_is_trained(tmp_path: Path):
    said = []
    toy_bench(tmp_path / "out", data=images(20, 0), test=images(3, 1), report=lambda *what: said.append(what))
    phases = [phase for phase, *_ in said]
    assert phases.index("no verdict") < phases.index("trials")
    assert "too few to judge" in next(what[-1] for what in said if what[0] == "no verdict")


def test_subjects_of_the_training_images_are_dropped_from_the_test_set(tmp_path: Path):
    train = images(20, 0, groups=[f"patient {i // 2}" for i in range(60)])
    test = images(40, 1, groups=["patient 7", "patient 3", *(f"other {i // 2}" for i in range(118))])
    data = toy_bench(tmp_path / "out", data=train, test=test).data
    assert data["dropped"] == ["item 0", "item 1"]
    many = images(40, 1, groups=[f"patient {i // 2}" for i in range(120)])
    with pytest.raises(LeakError, match=r"60 of 120 test images show subjects .*item 0"):
        toy_bench(tmp_path / "again", data=train, test=many)


@pytest.mark.parametrize("where", ["data", "synthetic"])
def test_many_seen_test_images_are_refused_before_anything_is_trained(
    tmp_path: Path, where: str, quick_classifier: NearestMean
):
    seen, test = images(20, 0), images(40, 1)
    test.array[:10] = seen.array[:10]
    with pytest.raises(LeakError, match="10 of 120 test images"):
        toy_bench(tmp_path / "out", **{where: seen}, test=test)
    assert quick_classifier.trainings == 0
    assert not (tmp_path / "out").exists()


def test_synthetic_copies_of_validation_images_are_left_out(tmp_path: Path):
    real, fake = images(20, 0), images(30, 2)
    fake.array[: len(real)] = real.array  # all real images, validation part included
    data = toy_bench(tmp_path / "out", data=real, synthetic=fake).data
    assert data["data"]["synthetic"]["images"] == 90 - data["data"]["validation"]["images"]
    assert "copies of validation images" in data["notes"][0]


def test_classes_are_matched_by_name(tmp_path: Path):
    turned = images(30, 2, classes=("cat", "ant", "bee"))
    data = toy_bench(tmp_path / "out", synthetic=turned).data
    assert data["arms"]["with"]["test"]["accuracy"] > 0.8
    with pytest.raises(LabelMismatchError, match="has the class 'wasp'"):
        toy_bench(tmp_path / "out", synthetic=replace(turned, classes=("cat", "ant", "wasp")))


def test_unequal_classes_are_judged_by_balanced_accuracy_in_every_arm(tmp_path: Path):
    even = images(20, 0)
    keep = np.flatnonzero((even.labels > 0) | (np.arange(60) < 20))
    few = replace(even, array=even.array[keep], labels=even.labels[keep], names=[even.names[i] for i in keep])
    data = toy_bench(tmp_path / "out", data=few, remedies=("augmentation", "sampling", "weights", "shift")).data
    assert data["metric"] == "balanced accuracy"
    assert [rung["rung"] for rung in data["ladder"]][-3:] == ["sampling", "weights", "shift"]
    assert data["validation"][0]["remedy"] == ""
    assert {arm["remedy"] for arm in data["validation"] if not arm["ratio"]} == {"sampling", "weights", ""}


def test_unequal_classes_of_few_groups_and_copied_images_get_no_verdict(tmp_path: Path):
    """Every class counts the same, and nobody knows the chance in one that has images of four subjects."""
    even, test = images(20, 0), images(40, 1)
    keep = np.flatnonzero((even.labels > 0) | (np.arange(60) < 20))
    subjects = [f"{label} {i % 4 if label == 2 else i}" for i, label in enumerate(even.labels)]
    few = from_arrays(even.array[keep], even.labels[keep], classes=even.classes, groups=[subjects[i] for i in keep])
    test.array[6:12] = test.array[:6]
    of = [f"other {label} {i % 8 // 2 if label == 2 else i}" for i, label in enumerate(test.labels)]
    grouped = from_arrays(test.array, test.labels, classes=test.classes, groups=of)
    data = toy_bench(tmp_path / "out", data=few, test=grouped).data
    assert data["verdict"] == "withheld"
    assert any("fewer than 5 groups of 'cat'" in reason for reason in data["reasons"])


def test_says_what_is_wrong(tmp_path: Path):
    with pytest.raises(OptionError, match="must be texts"):
        toy_bench(tmp_path / "out", synthetic={"run": images(30, 2)})
    with pytest.raises(OptionError, match="'weights' is for classes of unequal size"):
        toy_bench(tmp_path / "out", remedies=("weights",))
    with pytest.raises(OptionError, match="no test set"):
        toy_bench(tmp_path / "out", test=None)
    with pytest.raises(OptionError, match="between 0 and 1"):
        toy_bench(tmp_path / "out", ratios=(0.0, 0.5))
    for nearly in (0.005, 0.995):
        with pytest.raises(OptionError, match="none or all of a batch of 64"):
            toy_bench(tmp_path / "out", ratios=(nearly,))
    with pytest.raises(OptionError, match="0 seeds"):
        toy_bench(tmp_path / "out", seeds=0)
    with pytest.raises(DataError):
        toy_bench(tmp_path / "out", synthetic=tmp_path / "nowhere")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputInUseError, match=r"thesis\.txt"):
        toy_bench(tmp_path / "used")
    assert (tmp_path / "used" / "thesis.txt").read_text() == "mine"


def test_an_arm_has_a_kind_and_a_name():
    assert (Arm().kind, str(Arm())) == ("real", "real")
    assert (Arm("affine").kind, str(Arm("affine"))) == ("real+augmentation", "real + affine")
    assert (Arm("none", 0.1).kind, str(Arm("none", 0.1))) == ("real+synthetic", "real + 10% synthetic")
    assert Arm("affine", 0.5).kind == "augmentation+synthetic"


def test_class_names_cannot_inject_anything_into_the_report(tmp_path: Path, real_plots):
    bad = ("<script>alert(1)</script>", "$\\frac{", "ラ & ネコ")

    def named(source):
        return replace(source, classes=bad)

    results = toy_bench(
        tmp_path / "out", data=named(images(20, 0)), test=named(images(40, 1)), synthetic=named(images(30, 2))
    )
    html = results.report_path.read_text()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "ラ &amp; ネコ" in html
    assert "http://" not in html
    assert "https://" not in html
    assert len(html) < 2_000_000


def test_a_trial_is_known_by_everything_that_decides_its_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    x, y = torch.zeros(6, 1, 8, 8, dtype=torch.uint8), torch.arange(6) % 2
    part, other = Part.of(x, y), Part.of(x + 1, y)
    parts = Parts(part, part, part, 2, {"made": part}, fold=np.arange(6) % 3)
    plain = Trial("small", Training(), 0, ("validation",))
    mixed = replace(plain, training=Training(ratio=0.5), made="made")
    small = SmallLearner(8, Menu(), 3)

    def key(trial: Trial, **changed) -> str:
        return Laboratory(replace(parts, **changed), tmp_path, {"small": small}).key(trial)

    known = key(plain)
    assert key(plain) == known
    changes = {"steps": 7, "batch": 32, "lr": 0.1, "weight_decay": 0.0, "augmentation": "flips", "balanced": True}
    keys = {key(replace(plain, training=replace(plain.training, **{name: value}))) for name, value in changes.items()}
    keys |= {key(mixed), key(replace(plain, seed=1)), key(replace(plain, on=("test",)))}
    keys |= {key(replace(plain, leave=0)), key(replace(plain, leave=1))}
    keys |= {key(plain, train=other), key(plain, validation=other), key(plain, n_classes=3), known}
    assert len(keys) == len(changes) + 9
    assert key(plain, made={"made": other}) == known == key(plain, test=other)
    assert key(mixed, made={"made": other}) != key(mixed)
    monkeypatch.setattr("ganaug.evaluation.trials.small.VERSION", -1)
    assert key(plain) != known


def test_auto_at_ratio_none_is_the_baseline_itself(tmp_path: Path):
    data = toy_bench(tmp_path / "out").data
    auto = data["auto"]
    if data["verdict"] == "helps":
        assert auto["difference"]["per_seed"] == data["difference"]["per_seed"]
    noise = images(30, 2)
    noise.array[:] = np.random.default_rng(0).integers(0, 255, noise.array.shape)
    auto = toy_bench(tmp_path / "noise", synthetic=noise).data["auto"]
    assert (auto["ratio"], auto["use"]) == (0, "plain")
    assert auto["difference"] == {"mean": 0, "low": 0, "high": 0, "per_seed": [0, 0, 0]}


def test_everything_is_reported_beside_the_primary_metric(tmp_path: Path):
    data = toy_bench(tmp_path / "out").data
    assert set(data["measures"]) == {"accuracy", "balanced accuracy", "macro-F1", "NLL", "ECE"}
    for name, change in data["measures"].items():
        difference = data["arms"]["with"]["test"][name] - data["arms"]["without"]["test"][name]
        assert change["mean"] == pytest.approx(difference)
        assert change["low"] <= change["mean"] <= change["high"]
    assert data["measures"]["accuracy"]["mean"] == pytest.approx(data["difference"]["mean"])
    for i, change in enumerate(data["recall"]):
        assert change["mean"] == pytest.approx(data["arms"]["with"]["recall"][i] - data["arms"]["without"]["recall"][i])
        assert change["low"] <= change["mean"] <= change["high"]
    assert data["power"]["detectable"] > data["power"]["unseen"] > 0
    assert "With 3 seeds and 120 test images, a change of accuracy under" in data["power"]["sentence"]
    assert 0.8 < data["agreement"]["share"] <= 1
    assert "this generator (or folder), this data set, and this classifier: small network, 8 px." in data["sentence"]


def test_only_what_is_named_is_tried(tmp_path: Path):
    tried = toy_bench(
        tmp_path / "out", quick=False, augmentations=("none",), search=False, uses=("rare", "light+finish"), steps=7
    ).data
    arms = [(arm["augmentation"], arm["blend"], arm["ratio"], arm["use"]) for arm in tried["validation"]]
    assert arms == [("none", "none", 0, "plain")] + [
        ("none", "none", ratio, use) for use in ("rare", "light+finish") for ratio in QUICK["ratios"]
    ]
    assert {trial["training"]["steps"] for trial in tried["trials"]} == {7}
    for wrong in ({"uses": ("heavy",)}, {"uses": ()}, {"augmentations": ("upside down",)}, {"steps": 0}):
        with pytest.raises(OptionError):
            toy_bench(tmp_path / "out", **wrong)


def test_near_duplicates_on_both_sides_of_the_split_withhold_the_verdict_unless_groups_are_named(tmp_path: Path):
    def doubled(groups=None):
        source = images(30, 0, groups=groups)
        source.array[1::2] = np.clip(
            source.array[::2].astype(int) + 20, 0, 255
        )  # every second image is a brighter copy
        source.labels[1::2] = source.labels[::2]
        return source

    data = toy_bench(tmp_path / "out", data=doubled()).data
    assert data["verdict"] == "withheld"
    assert "no groups are given" in data["sentence"]
    named = doubled([f"subject {i // 2}" for i in range(90)])
    others = [f"other subject {i // 2}" for i in range(120)]
    assert toy_bench(tmp_path / "named", data=named, test_groups=others).data["verdict"] != "withheld"


def test_groups_of_the_training_images_alone_withhold_the_verdict(tmp_path: Path):
    def subjects(word, n):
        return [f"{word} {i // 3}" for i in range(n)]

    data = images(30, 0)
    alone = toy_bench(tmp_path / "alone", data=data, groups=subjects("a", 90)).data
    assert alone["verdict"] == "withheld"
    assert "--test-groups" in alone["sentence"]
    both = toy_bench(tmp_path / "both", data=data, groups=subjects("a", 90), test_groups=subjects("b", 120)).data
    assert both["verdict"] != "withheld"
    assert both["data"]["test groups"] == 40
    with pytest.raises(LeakError, match="subjects"):
        toy_bench(tmp_path / "leak", data=data, groups=subjects("a", 90), test_groups=subjects("a", 120))


def test_benches_of_other_seeds_share_no_trial(tmp_path: Path):
    runs = [toy_bench(tmp_path / "out", seed=seed).data for seed in (0, 1, 2)]
    keys = [{trial["key"] for trial in run["trials"]} for run in runs]
    assert len(set.union(*keys)) == sum(map(len, keys))
    assert runs[1]["trained"] == len(runs[1]["trials"])


def test_a_choice_among_arms_on_a_handful_of_images_is_said(tmp_path: Path):
    few, many = (toy_bench(tmp_path / str(n), data=images(n, 0)).data["notes"] for n in (20, 60))
    assert any("12 validation images" in note for note in few)
    assert not any("validation images" in note for note in many)


def test_the_page_shows_the_extremes_and_what_the_doctor_found(tmp_path: Path, real_plots):
    real, fake = images(20, 0), images(30, 2)
    fake.array[0] = real.array[0]
    finding = ("collapse", "fault", "Class <b> shows one picture.", "Raise gamma.")
    html = toy_bench(tmp_path / "out", data=real, synthetic=fake, findings=[finding]).report_path.read_text()
    for heading in ("Unrealistic", "Unvaried", "Copied", "Under-represented", "What the doctor found"):
        assert heading in html
    assert "Class &lt;b&gt; shows one picture. Raise gamma." in html
    assert html.index("<h1>") < html.index("Real and synthetic images") < html.index("What the doctor found")
    assert len(html) < 5_000_000
    assert "What the doctor found" not in toy_bench(tmp_path / "again").report_path.read_text()
    assert "Nothing wrong with the generator" in toy_bench(tmp_path / "well", findings=[]).report_path.read_text()
    folder = toy_bench(tmp_path / "folder").report_path.read_text()
    assert "It did not look: synthetic images of a folder have no past" in folder


def test_the_plot_of_shares_shows_the_arms_that_differ_in_the_synthetic_images_alone(tmp_path: Path, monkeypatch):
    data = toy_bench(tmp_path / "out", quick=False).data
    base = data["arms"]["without"]
    for arm in data["validation"]:  # what it stands on 90 %, all others 50 %
        same = all(arm[name] == base[name] for name in ("augmentation", "blend", "remedy", "knobs"))
        arm["mean"] = 0.9 if same else 0.5
    assert any(arm["mean"] == 0.5 for arm in data["validation"])
    drawn = []
    monkeypatch.setattr(Axes, "plot", lambda self, x, y, *style, **options: drawn.append((options["label"], list(y))))
    monkeypatch.setattr(Axes, "legend", lambda *given, **options: None)
    shares_plot(data, data["sources"]["folder"], "folder")
    assert {label for label, _ in drawn} == {"plain", "light"}
    assert all(value == 90 for _, line in drawn for value in line)


def test_the_recall_of_a_class_in_which_nothing_changes_is_not_certain():
    labels = np.repeat([0, 1], [5, 200])
    few, many = recall_changes(np.zeros((5, 205)), labels, None, 2, 0)
    assert (few["low"], few["high"]) == (-few["high"], -few["low"])
    assert few["high"] == pytest.approx(1 - 0.05 ** (1 / 5))
    assert 0 < many["high"] < 0.02


@pytest.mark.parametrize("verdict", ["helps", "no evidence", "harms", "withheld"])
def test_require_gain_is_an_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdict: str):
    done = toy_bench(tmp_path / "out")
    done = replace(done, data=done.data | {"verdict": verdict})
    monkeypatch.setattr("ganaug.evaluation.bench.run.bench", lambda *given, **options: done)
    asked = ["bench", "digits", "--run", "nowhere", "--out", str(tmp_path / "out"), "--quiet"]
    assert CliRunner().invoke(cli, asked).exit_code == 0
    assert CliRunner().invoke(cli, [*asked, "--require-gain"]).exit_code == (0 if verdict == "helps" else 6)


def test_parts_that_look_alike_are_not_refused_and_what_could_not_be_judged_is_said():
    """Cells of the same solar modules on both sides: no leak, unless groups say so."""
    drawn = duplicates.cells(240, np.random.default_rng(0))
    cells = [np.asarray(Image.fromarray(cell).resize((16, 16))) for cell in drawn]
    labels = np.arange(240) // 30 % 2
    parts = [load_images((np.stack(cells[a:b]), labels[a:b])) for a, b in ((0, 120), (120, 240))]
    kept = keep_unseen(parts[1], Known.of(parts[0]), [parts[0]], set(), silent)
    assert len(kept.images) >= 0.95 * 120
    assert "could not be judged, since no groups are given" in kept.unjudged
    assert kept.many
    named = replace(parts[1], groups=tuple(f"other {i}" for i in range(120)))
    assert not keep_unseen(named, Known.of(parts[0]), [parts[0]], {"module"}, silent).unjudged
    copies = replace(parts[1], stored=parts[0].stored, likenesses=parts[0].likenesses)
    with pytest.raises(LeakError):
        keep_unseen(copies, Known.of(parts[0]), [parts[0]], set(), silent)


def test_rows_of_the_page_are_told_apart():
    arm = {"name": "real", "knobs": {"lr": 0.1}}
    told = told_apart([arm, {**arm, "knobs": {"lr": 0.2}}, {**arm, "name": "other"}])
    assert [row["name"] for row in told] == ["real, lr 0.1", "real, lr 0.2", "other"]


def test_what_would_be_a_class_the_next_time_is_refused(tmp_path: Path):
    data = noise_folder(tmp_path / "data", {"ant": 6, "bee": 6})
    (data / "ant" / "more").mkdir()
    for where in (data, data / "ant", data / "ant" / "more"):
        with pytest.raises(OptionError, match="unlabelled images in .* lie in the data folder"):
            bench(data, test=images(9, 1), unlabelled=where, out=tmp_path / "out", **SMALL)
        with pytest.raises(OptionError, match="unlabelled images in .* lie in the data folder"):
            fit(data, tmp_path / "run", unlabelled=where, steps=1)
    with pytest.raises(OptionError, match="lies in the data folder"):
        bench(data, test=images(9, 1), cache=data / "seen", out=tmp_path / "out", **SMALL)
    assert not (tmp_path / "out").exists()


def test_pictures_of_16_bits_are_read_over_the_range_of_the_data_in_every_set(tmp_path: Path):
    for seed, (name, n) in enumerate((("train", 12), ("test", 20), ("made", 9))):
        source = images(n, seed)
        for i in range(len(source)):
            place = tmp_path / name / source.classes[source.labels[i]]
            place.mkdir(parents=True, exist_ok=True)
            deep = 1000 + np.asarray(source.read(i)).astype(np.uint16) * 16
            Image.fromarray(deep).save(place / f"{i}.png")
    data, test, made = (tmp_path / name for name in ("train", "test", "made"))
    whole = bench(data, test=test, synthetic=made, range=(1000, 5080), out=tmp_path / "out", **QUICK).data
    assert whole["data"]["test"]["images"] == 60
    with pytest.raises(DataError, match="The test set: .*training images have 8 bits"):
        bench(images(12, 0), test=test, out=tmp_path / "other", **SMALL)
    with pytest.raises(DataError, match="The synthetic images: .*training images have 8 bits"):
        bench(images(12, 0), test=images(20, 1), synthetic=made, out=tmp_path / "other", **SMALL)


def test_a_class_that_no_validation_image_shows_is_named(tmp_path: Path):
    groups = ["only" if label == 0 else f"{i % 5}" for i, label in enumerate(np.arange(60) % 3)]
    data = bench(images(20, 0, groups=groups), test=images(40, 1), out=tmp_path / "out", quick=True, **SMALL).data
    assert any(note.startswith("No validation image shows ant: ") for note in data["notes"])


def test_what_cannot_be_a_run_or_an_executor_is_named(tmp_path: Path):
    toy_bench(tmp_path / "out")
    with pytest.raises(OptionError, match="is .*bench, and no run"):
        bench(images(20, 0), test=images(40, 1), run=tmp_path / "out", out=tmp_path / "other")
    with pytest.raises(OptionError, match="executor is a int"):
        toy_bench(tmp_path / "other", executor=3)
    with pytest.raises(TooFewImagesError, match="limit=1 leaves too few"):
        toy_bench(tmp_path / "other", limit=1)
