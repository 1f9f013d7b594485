"""Benches of a fitted run: its own split, its images kept out of the test, and the verdict beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import ganaug
from ganaug.data.load import load_images
from ganaug.errors import ArtefactError, HarmfulError, LabelMismatchError, LeakError, OptionError
from ganaug.evaluation.bench.run import bench
from ganaug.evaluation.bench.verdict import Interval
from ganaug.files.integrity import sealed, unsealed
from tests.toys.bench import images
from tests.toys.images import noise_folder

pytestmark = pytest.mark.usefixtures("quick_classifier")
QUICK = {"quick": True, "ratios": (0.25,), "seeds": 2, "model": "small", "remedies": ("augmentation",)}


@pytest.fixture
def run(tmp_path: Path, digits_run: ganaug.Run) -> Path:
    return Path(shutil.copytree(digits_run.path, tmp_path / "run"))


def test_trains_on_what_gradients_saw_and_validates_on_what_fit_held_out(tmp_path: Path, run: Path):
    card = ganaug.load(run).card
    results = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    facts = results.data["data"]
    assert facts["train"]["images"] == len(card.fingerprints)
    assert facts["validation"]["images"] == len(card.held_out)
    assert "were not part of the fit" in results.data["notes"][0]
    assert min(facts["synthetic"]["counts"]) >= 32


def test_what_a_killed_bench_left_half_written_is_cleared_and_the_bench_goes_on(tmp_path: Path, run: Path):
    first = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    for place in (tmp_path / "out", tmp_path / "out" / "trials"):
        (place / ".results.json.abc.part").write_text("{")
    again = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    assert again.data["trained"] == 0
    assert again.data["difference"] == first.data["difference"]
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_trial_that_was_altered_is_trained_again(tmp_path: Path, run: Path):
    first = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    files = sorted((tmp_path / "out" / "trials").glob("*.json"))
    content = bytearray(files[0].read_bytes())
    place = content.index(b'"logs"') + 20
    content[place] ^= 1
    files[0].write_bytes(content)
    again = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    assert again.data["trained"] == 1
    assert again.data["difference"] == first.data["difference"]


def test_an_altered_verdict_serves_nothing(tmp_path: Path, run: Path):
    bench("digits", run=run, out=tmp_path / "out", **QUICK)
    file = run / "verdict.json"
    content = file.read_bytes()
    for place in range(0, len(content), max(1, len(content) // 60)):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ArtefactError):
            ganaug.Run(run).verdict  # noqa: B018
    file.write_bytes(content)


def test_leaves_the_verdict_in_the_run_folder(tmp_path: Path, run: Path):
    results = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    kept = unsealed((run / "verdict.json").read_bytes(), run)
    benches = kept.pop("benches")
    assert kept == results.data
    assert [one["verdict"] for one in benches] == [results.verdict]
    assert results.data["generator"] == ganaug.load(run).hash


def test_a_past_that_cannot_be_read_is_said_and_costs_no_trial(tmp_path: Path, run: Path):
    broken = Path(shutil.copytree(run, tmp_path / "broken"))
    (broken / "metrics.jsonl").write_text("no log\n")
    page = bench("digits", run=broken, out=tmp_path / "out", **QUICK).report_path.read_text()
    assert "It did not look" in page
    assert "metrics.jsonl cannot be read" in page


def harmful(run: Path) -> None:
    """Turn the verdict of the run, whatever it was, into that of a full bench that found harm."""
    found = unsealed((run / "verdict.json").read_bytes(), run)
    settings = {**found["settings"], "quick": False}
    (run / "verdict.json").write_bytes(sealed({**found, "verdict": "harms", "ratio": 0, "settings": settings}))


@pytest.mark.long
def test_a_bench_that_says_less_does_not_replace_a_verdict(tmp_path: Path, run: Path):
    bench("digits", run=run, out=tmp_path / "out", **QUICK)
    harmful(run)
    withheld = bench("digits", run=run, out=tmp_path / "one", **{**QUICK, "seeds": 1})
    quick = bench("digits", run=run, out=tmp_path / "two", seed=1, **QUICK)
    assert ganaug.Run(run).verdict["verdict"] == "harms"
    for results in (withheld, quick):
        assert any("keeps its verdict `harms`" in note for note in results.data["notes"])
    with pytest.raises(HarmfulError):
        ganaug.SyntheticDataset(run, per_class=2)
    full = bench("digits", run=run, out=tmp_path / "full", **{**QUICK, "quick": False, "steps": 5, "search": False})
    kept = ganaug.Run(run).verdict
    assert kept["verdict"] == full.verdict
    assert len(kept["benches"]) == 4
    assert any("benched before" in note and "harms" in note for note in full.data["notes"])
    assert full.data["looks"] == 1  # quick ones do not count for it
    other = bench("digits", run=run, out=tmp_path / "other", seed=1,
                  **{**QUICK, "quick": False, "steps": 5, "search": False})  # fmt: skip
    assert other.data["looks"] == 2
    assert any("Bonferroni" in note for note in other.data["notes"])


def test_a_bench_on_other_images_does_not_replace_a_verdict_on_those_of_the_fit(tmp_path: Path, run: Path):
    bench("digits", run=run, out=tmp_path / "own", **QUICK)
    own = ganaug.Run(run).verdict
    test = load_images("digits", split="test")
    x, y = test.pixels[:, 0].numpy(), [test.classes[label] for label in test.labels]
    foreign = bench((x[::2], y[::2]), test=(x[1::2], y[1::2]), run=run, out=tmp_path / "out",
                    **{**QUICK, "quick": False, "steps": 5, "search": False, "augmentations": ("none",)})  # fmt: skip
    kept = ganaug.Run(run).verdict
    assert kept["verdict"] == own["verdict"]
    assert kept["data"] == own["data"]
    assert any("is on other images" in note for note in foreign.data["notes"])


def test_the_same_bench_again_counts_once(tmp_path: Path, run: Path):
    for _ in range(2):
        results = bench("digits", run=run, out=tmp_path / "out", **QUICK)
    assert len(ganaug.Run(run).verdict["benches"]) == 1
    assert not any("before" in note for note in results.data["notes"])


def test_images_that_only_the_generator_gets_withhold_the_verdict(tmp_path: Path, run: Path):
    card = ganaug.load(run).card
    least = min(card.counts.values()) // 2
    results = bench("digits", run=run, out=tmp_path / "out", limit=least, **QUICK)
    assert results.verdict == "withheld"
    assert "images more than the classifier gets" in results.data["sentence"]


def test_groups_that_the_fit_did_not_know_and_divided_withhold_the_verdict(tmp_path: Path, run: Path):
    data = load_images("digits")
    subjects = [f"writer {i % 7}" for i in range(len(data))]
    others = [f"other {i}" for i in range(len(load_images("digits", split="test")))]
    results = bench("digits", run=run, out=tmp_path / "out", groups=subjects, test_groups=others, **QUICK)
    assert results.verdict == "withheld"
    assert "7 subjects" in results.data["sentence"]


def test_refuses_a_test_set_that_the_generator_was_fitted_on(tmp_path: Path, run: Path):
    seen = load_images("digits")
    x, y = seen.pixels[:, 0].numpy(), [seen.classes[label] for label in seen.labels]
    with pytest.raises(LeakError, match="test images are among"):
        bench("digits", test=(x, y), run=run, out=tmp_path / "out", **QUICK)


def test_refuses_data_of_other_classes(tmp_path: Path, run: Path):
    with pytest.raises(LabelMismatchError, match="The generator knows the classes 0, 1"):
        bench(images(20, 0), test=images(40, 1), run=run, out=tmp_path / "out", **QUICK)


def test_the_page_says_what_it_takes_to_do_it_again_and_that_nobody_looked(tmp_path: Path, run: Path):
    data = load_images("digits")
    writers, others = [f"writer {i % 7}" for i in range(len(data))], tmp_path / "two words.csv"
    rows = [f"{name},{name}\n" for name in load_images("digits", split="test").names]
    others.write_text("item,group\n" + "".join(rows))
    results = bench("digits", run=run, out=tmp_path / "out", groups=writers, test_groups=others, steps=3, search=False,
                    **QUICK)  # fmt: skip
    command = results.data["command"]
    assert "--groups <list>" in command
    assert f"--test-groups '{others}'" in command
    assert command.endswith("# in Python, with search=False, steps=3")
    assert "too short for check-ups" in results.data["doctor"]  # the run has 12 steps
    assert "Nothing wrong with the generator" not in results.report_path.read_text()


def test_a_gain_that_is_enough_once_is_none_at_the_second_look(tmp_path: Path, run: Path, monkeypatch):
    gain = Interval(0.01, 0.002, 0.018, (0.0, 0.02), None, p=0.04)
    monkeypatch.setattr("ganaug.evaluation.bench.played.paired_interval", lambda *arrays, **options: gain)
    first, second = (bench("digits", run=run, out=tmp_path / str(seed), seed=seed, **QUICK) for seed in (0, 1))
    assert (first.verdict, first.ratio > 0) == ("helps", True)
    assert (second.verdict, second.ratio) == ("no evidence", 0)
    assert "not enough after 2 benches" in second.data["sentence"]
    assert ganaug.Run(run).verdict["ratio"] == 0


def test_a_bench_allows_what_the_run_was_told(tmp_path: Path):
    told = ganaug.fit("digits", tmp_path / "run", steps=2, limit=10, allow="noise,shift-x")
    assert ganaug.load(tmp_path / "run").card.allow == ("shift-x", "noise")
    results = bench("digits", run=told, out=tmp_path / "out", **QUICK)
    assert results.data["settings"]["allow"] == ["shift-x", "noise"]
    tried = {one["augmentation"] for one in results.data["validation"]}
    assert tried == {"none", "shift-x", "shift-x+noise"}
    assert any("the run was told: shift-x, noise" in note for note in results.data["notes"])
    other = bench("digits", run=told, out=tmp_path / "other", allow="none", **QUICK)
    assert {one["augmentation"] for one in other.data["validation"]} == {"none"}
    assert any("The fit was told otherwise" in note for note in other.data["notes"])


def test_a_run_that_was_told_nothing_may_show_other_changes(tmp_path: Path, run: Path):
    results = bench("digits", run=run, out=tmp_path / "out", allow="turn", **QUICK)
    assert any("those of its recipe" in note for note in results.data["notes"])


def test_an_augmentation_that_is_not_allowed_is_refused(tmp_path: Path):
    with pytest.raises(OptionError, match=r"flips makes changes that are not allowed"):
        bench("digits", out=tmp_path / "out", allow="turn", augmentations=("flips",), **QUICK)


def test_images_in_place_of_a_run_are_refused_with_the_option_that_takes_them(tmp_path: Path, run: Path):
    noise_folder(tmp_path / "diffusion", {"0": 4, "1": 4})
    with pytest.raises(OptionError, match=r"holds data and no generator\. Name it as --synthetic"):
        bench("digits", run=tmp_path / "diffusion", out=tmp_path / "out", **QUICK)
    (run / "generator" / "manifest.json").unlink()
    with pytest.raises(ArtefactError, match=r"no manifest\.json"):
        bench("digits", run=run, out=tmp_path / "out", **QUICK)
