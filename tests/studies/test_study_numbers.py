"""The statistics and the page of the study, on made-up numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy import stats

from scripts.studies.help import summary
from scripts.studies.help.aims import aims
from scripts.studies.help.cells import Cell, Subset
from scripts.studies.help.kept import DRAW, TUNED, cell_file, keep
from scripts.studies.help.page import text, write
from scripts.studies.help.summary import Result, _by_auto, keep_bootstraps, over_draws, read_cell, results, summarise
from scripts.studies.lib.results import pack_flags, pack_numbers

TOY = Cell("toy", "closed", Subset("digits", 12, steps=3), ratios=(0.25, 0.5), uses=("plain",))
SHUFFLED = replace(TOY, name="toy-shuffled", group="planted", spoiled="labels")

# Two classes of `items` test images each, and draws that answer so many of them rightly.

ITEMS = 100
LABELS = np.repeat([0, 1], ITEMS)


def rightly(first: int, second: int) -> np.ndarray:
    """Right answers to the first so many images of each class: bool (2 * ITEMS,)."""
    return np.concatenate([np.arange(ITEMS) < first, np.arange(ITEMS) < second])


def made_up(
    cell: str, rights: list[list[tuple[int, int]]], validation: list[tuple[int, int]], metric: str = "accuracy",
    images: tuple[int, int] = (20, 20), seen: tuple[int, ...] = (), fit: float | None = 60.0, device: str = "cpu",
) -> tuple[dict, list[dict]]:  # fmt: skip
    """rights: for every draw, right test answers of each class by each arm, the baseline first. validation: right ones
    of 4 of each class by each arm, the same in every draw."""
    arm = {"augmentation": "flips", "ratio": 0.0, "blend": "none", "remedy": "", "use": "plain"}
    baseline = {"arm": arm, "lr": 0.01, "weight decay": 0.05}
    machine = {"cpu": "abacus", "cores": 2, "threads": "1", "torch": "2", "python": "3", "ganaug": "0"}
    tuned = {
        "cell": cell, "metric": metric, "classes": ["a", "b|c"], "images": list(images), "groups": False,
        "tail": [1] if 2 * images[1] < images[0] else [], **baseline, "draws": [0, 1], "steps": 400, "seconds": 5.0,
        "test labels": pack_numbers(LABELS), "test groups": None,
    }  # fmt: skip
    draws = [
        {
            "cell": cell, "draw": number, "seed": number, "baseline": baseline, "steps": 400,
            "generator": {"hash": f"{cell}{number}", "recipe": "small", "steps": 1000, "device": device},
            "train": list(images), "validation": [4, 4], "seen": list(seen),
            "arms": [
                {"ratio": 0.25 * place, "use": "plain", "choice": "", "validation right": list(validation[place]),
                 "test": {"macro-F1": sum(right) / 200}, "right": pack_flags(rightly(*right))}
                for place, right in enumerate(arms)
            ],
            "seconds": {"fit": fit, "render": 1.0, "trainings": [2.0] * len(arms)}, "machine": machine,
            "began": "2026-01-01 10:00 UTC", "ended": "2026-01-02 10:00 UTC",
        }
        for number, arms in enumerate(rights)
    ]  # fmt: skip
    return tuned, draws


def drawn(base: int, *gains: tuple[int, int], draws: int = 6) -> list[list[tuple[int, int]]]:
    """Draws whose arms add these to the baseline's right answers of each class, with a little noise."""
    return [[(base, base), *((base + a + number % 3 - 1, base + b) for a, b in gains)] for number in range(draws)]


EVEN = [(3, 3), (3, 3), (3, 4)]  # validation prefers the second synthetic arm


def result(cell: Cell, *arguments, **options) -> Result:
    return summarise(cell, *made_up(cell.name, *arguments, **options))


def test_validation_chooses_the_arm_and_the_test_set_judges_it():
    one = result(TOY, drawn(50, (40, 40), (20, 20)), EVEN)
    assert (one.chosen, one.arm.ratio, one.verdict, one.auto_ratio) == (1, 0.5, "helps", 0.5)
    assert one.arm.validation == pytest.approx(1 / 8)
    assert one.mean == pytest.approx(0.2)
    values = np.array([40 + number % 3 - 1 for number in range(6)]) / 200
    reach = stats.t.ppf(0.975, 5) * values.std(ddof=1) / np.sqrt(6)
    assert one.interval.student is not None
    assert one.interval.student == pytest.approx((0.2 - reach, 0.2 + reach))
    assert (one.arm.test.low, one.arm.test.high) == pytest.approx(one.interval.student)
    assert one.interval.low <= one.interval.student[0]
    assert one.auto.mean == pytest.approx(one.mean, abs=0.02)  # that of half the images each
    assert one.baseline == pytest.approx(0.5)


@pytest.mark.parametrize(("gain", "verdict"), [(-20, "harms"), (0, "no evidence")])
def test_where_nothing_helps_auto_is_the_baseline_itself(gain, verdict):
    one = result(TOY, drawn(50, (40, 40), (gain, gain)), EVEN)
    assert (one.verdict, one.auto_ratio, one.auto.mean) == (verdict, 0.0, 0.0)


def test_ties_on_validation_go_to_the_first_arm():
    assert result(TOY, drawn(50, (1, 1), (9, 9)), [(3, 3)] * 3).chosen == 0


def test_one_draw_gets_no_verdict():
    one = result(TOY, drawn(50, (20, 20), draws=1), EVEN[:2])
    assert one.verdict == "withheld"
    assert "One draw" in one.reasons[0]
    assert one.interval.student is None


def test_images_that_any_draw_has_seen_count_in_none():
    tuned, draws = made_up("toy", drawn(50, (20, 20), (20, 20)), EVEN)
    draws[3]["seen"] = [0, 1, 2, 3, 4]  # answered rightly by every arm
    one = summarise(TOY, tuned, draws)
    assert one.left_out == 5
    assert one.baseline == pytest.approx((100 - 5) / 195)
    draws[3]["seen"] = list(range(11))
    assert summarise(TOY, tuned, draws).verdict == "withheld"


def test_unequal_classes_weigh_the_same_and_tail_and_head_are_told_apart():
    one = result(TOY, drawn(50, (-6, 30), (-6, 30)), EVEN, metric="balanced accuracy", images=(100, 20))
    assert one.mean == pytest.approx(0.12)
    assert one.changes["tail recall"].mean == pytest.approx(0.3)
    assert one.changes["head recall"].mean == pytest.approx(-0.06)
    assert one.changes["macro-F1"].mean == pytest.approx(0.12)
    assert one.arm.validation == pytest.approx(1 / 8)


def test_p_values_are_corrected_for_the_number_of_cells(tmp_path):
    cells = [replace(TOY, name=name) for name in ("good", "dull", "short")]
    for cell, gain, draws in zip(cells, (20, 0, 20), (6, 6, 1), strict=True):
        tuned, files = made_up(cell.name, drawn(50, (gain, gain), (gain, gain), draws=draws), EVEN)
        keep(tmp_path, cell, TUNED, tuned)
        for one in files:
            keep(tmp_path, cell, DRAW, one)
    good, dull, short = results([*cells, replace(TOY, name="absent")], tmp_path)
    assert good.p == pytest.approx(2 * good.interval.p)  # of two with a verdict, the smaller one
    assert dull.p == pytest.approx(dull.interval.p)
    assert short.verdict == "withheld"


def test_what_a_bootstrap_gave_is_kept_and_done_again_where_it_was_of_other_answers(tmp_path, monkeypatch):
    def played(gain: int) -> list[Result]:
        cell_file(tmp_path / "out", TOY).unlink(missing_ok=True)
        tuned, draws = made_up("toy", drawn(50, (gain, gain), (gain, gain)), EVEN)
        for kind, line in ((TUNED, tuned), *((DRAW, draw) for draw in draws)):
            keep(tmp_path / "out", TOY, kind, line)
        return results([TOY], tmp_path / "out")

    def never(*_, **__):
        raise AssertionError("a bootstrap that was kept is done again")

    first, other = played(20), played(10)
    again = played(20)
    assert again == first != other
    keep_bootstraps(first, tmp_path / "out")
    monkeypatch.setattr(summary, "paired_interval", never)
    assert played(20) == first
    with pytest.raises(AssertionError, match="done again"):
        played(10)


def test_draws_of_another_baseline_are_refused(tmp_path):
    tuned, files = made_up("toy", drawn(50, (1, 1), (1, 1)), EVEN)
    keep(tmp_path, TOY, TUNED, {**tuned, "lr": 0.02})
    keep(tmp_path, TOY, DRAW, files[0])
    with pytest.raises(ValueError, match="Draw 0 of toy was played on another baseline"):
        read_cell(TOY, tmp_path)
    cell_file(tmp_path, TOY).write_text("{}")
    with pytest.raises(ValueError, match="Line 1 of .*toy.jsonl is no result of a study"):
        read_cell(TOY, tmp_path)


def test_the_interval_of_one_value_a_draw():
    assert over_draws(np.array([0.5])).low is None
    found = over_draws(np.array([0.0, 0.1, 0.2]))
    assert (found.low, found.high) == pytest.approx(
        stats.t.interval(0.95, 2, loc=0.1, scale=0.1 / np.sqrt(3))
    )  # fmt: skip


UNEQUAL = replace(TOY, name="unequal", group="unequal")
SMALL = replace(TOY, name="small")
ALL = (TOY, SMALL, UNEQUAL, SHUFFLED)


def four(gain: int, small: int, tail: tuple[int, int], planted: int, fit: float | None = 60.0) -> list[Result]:
    return [
        result(TOY, drawn(50, (gain, gain), (gain, gain)), EVEN, fit=fit),
        result(SMALL, drawn(50, (small, small), (small, small)), EVEN, fit=fit),
        result(UNEQUAL, drawn(50, tail, tail), EVEN, metric="balanced accuracy", images=(100, 20), fit=fit),
        result(SHUFFLED, drawn(50, (planted, planted), (planted, planted)), EVEN, fit=fit),
    ]


@pytest.mark.parametrize("by_draw", [0.0, 0.3])
def test_what_auto_gains_is_not_measured_by_the_images_or_draws_that_decided_it(by_draw, monkeypatch):
    """Luck alone: the verdicts that come out as `helps` have gained on their half, and nothing on the other."""
    monkeypatch.setattr(summary, "paired_interval", partial(summary.paired_interval, draws=400))  # of 2,000
    rng = np.random.default_rng(0)
    labels, found = np.arange(60) % 2, []
    for _ in range(300):
        gain = rng.integers(-1, 2, (8, 60)) + by_draw * rng.standard_normal((8, 1))
        found.append(_by_auto(gain, labels, None, balanced=False).mean())
    used = np.array([value for value in found if value])
    assert len(used) >= 8
    assert abs(used.mean()) < 3 * used.std() / np.sqrt(len(used))
    for groups in (None, np.arange(60) // 2):
        assert _by_auto(np.ones((4, 60)), labels, groups, balanced=False) == pytest.approx(np.ones(4))


def test_aims_are_marked_by_the_numbers():
    good = aims(four(10, 0, (0, 10), -20), ALL, 6)
    assert [aim.word for aim in good] == ["reached"] * 6
    assert "So far" not in "".join(aim.found for aim in good)
    bad = aims(four(0, -20, (-2, 10), 20, fit=3600.0), ALL, 6)
    assert [aim.word for aim in bad] == ["not reached", "reached", "not reached", "not reached", "not reached",
                                         "not reached"]  # fmt: skip
    assert "-20.00 points (small)" in bad[1].found
    assert "toy-shuffled gets 0.5" in bad[2].found
    assert [aim.word for aim in aims([], ALL, 6)] == ["not measured"] * 6
    ablated = result(replace(TOY, name="aside", group="ablation"), drawn(50, (-20, -20), (-20, -20)), EVEN)
    apart = aims([*four(10, 0, (0, 10), -20), ablated], ALL, 6)[0]
    assert (apart.word, apart.found.endswith("Among those that decide no aim, it does in aside.")) == ("reached", True)
    assert "So far: 2 of 4 cells are finished." in aims(four(10, 0, (0, 10), -20)[:2], ALL, 6)[0].found
    assert "So far: 0 of 4 cells are finished." in aims(four(10, 0, (0, 10), -20), ALL, 7)[0].found


def test_the_page_puts_the_worst_first_and_says_what_is_missing():
    page = text(four(10, -20, (0, 10), -20), (*ALL, replace(TOY, name="absent")), "make it", 7)
    closed = page[page.index("## Closed set") : page.index("## Unequal")].splitlines()
    rows = [line for line in closed if line.startswith("| toy") or line.startswith("| small")]
    assert [row.split(" | ")[0] for row in rows] == ["| small", "| toy"]
    assert "harms" in rows[0]
    assert "helps" in rows[1]
    assert "Not measured: absent." in page
    assert "Fewer than 7 draws so far: toy (6), small (6), unequal (6), toy-shuffled (6)." in page
    assert "b\\|c" in page  # the tail class, whose name would end a column
    assert "    make it" in page
    assert "from 2026-01-01 to 2026-01-02 on abacus (2 cores" in page
    for line in page.splitlines():
        assert not line.startswith("|") or line.endswith("|")
    widths = {line.replace("\\|", "").count("|") for line in closed if line.startswith("|")}
    assert len(widths) == 1


def test_a_page_without_cells_says_so(tmp_path):
    page = write(ALL, tmp_path / "study", "make it", 10)
    assert page == tmp_path / "study.md"
    said = page.read_text()
    assert "**Nothing has been measured yet.**" in said
    assert "Not measured: toy, small, unequal, toy-shuffled." in said
    assert "reached**" not in said


def test_an_ablation_is_told_against_its_first_arm_and_the_lists_of_uses_by_what_validation_would_choose():
    def played(name: str, group: str, uses: tuple[str, str], gains: tuple[int, int]) -> Result:
        tuned, draws = made_up(name, drawn(50, *((gain, gain) for gain in gains)), EVEN)
        for draw in draws:
            for arm, mixing in zip(draw["arms"][1:], uses, strict=True):
                arm["use"] = mixing
        return summarise(replace(TOY, name=name, group=group), tuned, draws)

    ablated = played("toy-uses", "ablation", ("plain", "smooth"), (10, 4))
    assert ablated.arms[1].first.mean == pytest.approx(-0.06)  # 6 of each hundred fewer than the first arm
    assert ablated.arms[1].first.low == pytest.approx(-0.06)  # in every draw
    both = played("toy", "closed", ("plain", "light"), (10, 20))
    assert (both.among(["plain"]).use, both.among(["plain", "light"]).use) == ("plain", "light")
    bare = played("bare", "no transform", ("plain", "light"), (4, -4))
    page = text([both, bare, ablated], ALL, "make it", 6)
    part = page[page.index("## Uses of synthetic images") : page.index("## All arms")]
    assert "| `smooth` | -6.00 (-6.00 to -6.00) |" in part
    assert "| uses tried | closed and unequal, 1 cells | no transform, 1 cells |" in part
    assert "| `plain` | +10.00 | +4.00 |" in part
    assert "| `plain` and `light` | +20.00 | -4.00 |" in part  # validation prefers the second arm in both
    assert "uses tried" not in text([both, ablated], ALL, "make it", 6)
