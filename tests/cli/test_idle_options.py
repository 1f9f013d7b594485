"""An option that would change nothing is refused, so that nobody believes it to have worked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from ganaug.cli.group import COMMANDS, cli
from ganaug.errors import OptionError
from ganaug.game.recipe import Source
from tests.toys.images import picture

IDLE = [
    ("check {folder} --split val", "split would change nothing: it is not for a folder"),
    ("check {folder} --root {folder}", "root would change nothing"),
    ("check {npz} --root {folder}", "root would change nothing: it is not for an .npz"),
    ("check {folder} --test {folder} --root {folder}", "root would change nothing"),
    ("check digits --drop x", "is for tables"),
    ("check {table} --target c --quarantine {new}", "is for a folder of images"),
    ("check {table} --target c --limit 3", "are not for tables"),
    ("check {table} --target c --split test", "are not for tables"),
    ("check {table} --target c --unlabelled {folder}", "are not for tables"),
    ("fit {folder} --out {new} --split val", "split would change nothing"),
    ("fit {folder} --out {new} --root {folder}", "root would change nothing"),
    ("fit {folder} --out {new} --target c", "target would change nothing: it names a column of tables and lists"),
    ("fit {folder} --out {new} --recipe cgan --pairs {folder}", "does not learn from pairs"),
    (
        "fit {folder} --out {new} --recipe pix2pix --pairs {folder} --unlabelled {waves}",
        "unlabelled images have none",
    ),
    (
        "fit {table} --target c --out {new} --unlabelled {folder}",
        "unlabelled would change nothing: these data are rows",
    ),
    ("fit {waves} --out {new} --unlabelled {folder}", "unlabelled would change nothing: these data are series"),
    ("fit {table} --target c --out {new} --strict", "strict would change nothing: these data are rows of a table"),
    ("fit {table} --target c --out {new} --root {folder} --size 8", "would change nothing"),
    ("fit {table} --target c --out {new} --split test", "split would change nothing"),
    ("fit {waves} --out {new} --allow noise", "allow would change nothing: these data are series"),
    ("fit {waves} --out {new} --channels 1", "channels would change nothing: these data are series"),
    ("fit {folder} --out {new} --dry-run --resume", "leave out --resume and --fork"),
    (
        "augment {run} --per-class 1 --out {new} --pairs {folder}",
        "starts from noise: paired images would change nothing",
    ),
    ("augment {run} --per-class 1 --out {new} --split test", "split would change nothing: it is not for samples alone"),
    ("augment {run} --per-class 1 --out {new} --data {folder}", "starts from noise"),
    ("preview {run} --out {new} --pairs {folder}", "paired images would change nothing"),
    ("preview {folder} --out {new} --truncation 0.5", "start from nothing"),
    ("measure {run} digits --pairs {folder}", "paired images would change nothing"),
    ("measure {run} digits --root {folder}", "root would change nothing"),
    ("doctor {run} --device cpu", "change nothing where no data are given"),
    ("doctor {run} --split test", "change nothing where no data are given"),
    ("doctor {run} --pairs {folder}", "change nothing where no data are given"),
    ("doctor {run} digits --pairs {folder}", "paired images would change nothing"),
    ("choose {run} digits --root {folder}", "root would change nothing"),
    ("features {run} digits --root {folder}", "root would change nothing"),
    ("features {run} digits --no-probe", "nothing is left to do"),
    ("features {run} digits --no-probe --test digits --out {new}.npz", "is for the probe"),
    ("bench digits --synthetic {folder} --out {new} --recipe f.py:f", "leave it out without --run"),
    ("bench digits --synthetic {folder} --out {new} --pairs {folder}", "looks at no paired images"),
    ("bench digits --run {run} --out {new} --pairs {folder}", "paired images would change nothing"),
    ("bench digits --run {run} --out {new} --root {folder}", "root would change nothing"),
    ("bench {folder} --test {folder} --run {run} --out {new} --split val", "split would change nothing"),
    (
        "bench {table} --target c --test {table} --out {new} --exact-only --cache {folder}",
        "these data are rows of a table",
    ),
    ("bench {waves} --test {waves} --target c --out {new}", "target would change nothing: these data are series"),
    ("bench {folder} --test {folder} --drop a --out {new}", "drop would change nothing: these data are images"),
    ("bench digits --run {run} --out {new} --limit 5 --remedies weights", "for classes of unequal size"),
]


@pytest.fixture(scope="module")
def places(tmp_path_factory, digits_run):
    home = tmp_path_factory.mktemp("idle")
    for label in range(10):
        (home / "folder" / str(label)).mkdir(parents=True)
        for i in range(2):
            picture(10 * label + i, (8, 8), "L").save(home / "folder" / str(label) / f"{i}.png")
    (home / "table.csv").write_text("a,b,c\n" + "".join(f"{i},{i % 3},{i % 2}\n" for i in range(12)))
    rng = np.random.default_rng(0)
    np.savez(home / "set.npz", x_train=rng.integers(0, 256, (8, 8, 8), dtype=np.uint8), y_train=np.arange(8) % 2)
    np.savez(home / "waves.npz", x_train=rng.standard_normal((8, 12)), y_train=np.arange(8) % 2)
    names = {"folder": "folder", "table": "table.csv", "npz": "set.npz", "waves": "waves.npz", "new": "new"}
    return {name: home / file for name, file in names.items()} | {"run": digits_run.path}


@pytest.mark.parametrize(("line", "words"), IDLE, ids=[line for line, _ in IDLE])
def test_an_option_that_would_change_nothing_is_refused(places, line, words):
    done = CliRunner().invoke(cli, [word.format(**places) for word in line.split()])
    assert done.exit_code != 0
    said = done.output if isinstance(done.exception, SystemExit) else str(done.exception)
    assert words in " ".join(said.replace("│", " ").split())
    assert isinstance(done.exception, (OptionError, SystemExit)) or "starts from noise" in said
    assert not places["new"].exists()


def test_of_a_run_that_starts_from_images_no_latents_are_truncated(digits_run):
    fitted = digits_run.load()
    fitted.refuse_idle(truncation=0.5)
    for start in Source:
        with pytest.raises(OptionError, match="a truncation would change"):
            replace(fitted, starts_from=start).refuse_idle(truncation=0.5)
    replace(fitted, starts_from=Source.PAIR).refuse_idle(pairs="masks")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_seed_that_changes_nothing_says_so(command):
    said = CliRunner().invoke(cli, [command, "--help"]).output
    assert ("nothing here is random" in " ".join(said.split())) == (command in ("describe", "doctor", "recipes"))
