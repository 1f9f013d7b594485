"""Class names are other people's text: never a command to the terminal, never markup, never a path."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import ganaug
from ganaug import __main__ as entry
from ganaug.cli.group import cli
from ganaug.errors import DataError
from ganaug.reporting.console import terminal
from ganaug.samples.pictures import tile

NAMES = (
    "\x1b[31mred", "<script>alert(1)</script>", "../up", "CON", "x" * 200, "\u202ertl", "new\nline", "\x9b2J", "日本",
)  # fmt: skip


@pytest.fixture(scope="module")
def named_run(tmp_path_factory):
    """A run of one step on six pictures of each of these classes, and the data."""
    folder = tmp_path_factory.mktemp("names")
    y = np.arange(6 * len(NAMES)) % len(NAMES)
    x = np.random.default_rng(0).integers(0, 256, (len(y), 8, 8), np.uint8)
    np.savez(folder / "data.npz", x_train=x, y_train=y, x_test=255 - x, y_test=y, classes=np.array(NAMES))
    with pytest.warns(ganaug.errors.FewImagesWarning):
        ganaug.fit(folder / "data.npz", folder / "run", steps=1)
    return folder


def harmless(text: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.filterwarnings("ignore::ganaug.errors.NumberingWarning")
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "{}/data.npz", "--no-timing"),
        ("check", "{}/data.npz", "--no-timing", "--test", "{}/data.npz"),
        ("preview", "{}/run", "--frames", "2", "--columns", "2", "--out", "{}/preview"),
        ("augment", "{}/run", "--per-class", "2", "--out", "{}/synthetic"),
    ],
)
def test_nothing_that_is_printed_commands_the_terminal(named_run, arguments):
    done = CliRunner().invoke(cli, [part.format(named_run) for part in arguments])
    assert done.exit_code == 0, done.output
    assert harmless(done.stdout)
    assert harmless(done.stderr)


@pytest.mark.filterwarnings("ignore::ganaug.errors.NumberingWarning")
def test_an_export_stays_in_its_folder_and_keeps_the_names_as_data(named_run):
    out = named_run / "kept"
    asked = ["augment", str(named_run / "run"), "--per-class", "2", "--out", str(out), "--quiet"]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0
    folders = sorted(path.name for path in out.iterdir() if path.is_dir())
    assert len(folders) == len(NAMES)
    assert all(harmless(name) and "/" not in name and name.upper() != "CON" for name in folders)
    assert {path.parent.parent for path in out.rglob("*.png")} == {out}
    entries = [json.loads(line) for line in (out / "metadata.jsonl").read_text().splitlines()]
    assert {entry["class"] for entry in entries} == set(NAMES)
    assert not (named_run / "up").exists()


def test_errors_warnings_and_progress_are_harmless(monkeypatch, capsys):
    def fail(**_):
        entry._show_warning(f"class {NAMES[0]} has few images", UserWarning, "", 0)
        with terminal(quiet=False) as report:
            report("export", 1, 3, NAMES[0])
            report("remark", 1, 1, NAMES[7])
        raise DataError(f"The class {NAMES[0]} is empty.", f"Remove {NAMES[7]}.")

    monkeypatch.setattr(entry, "cli", fail)
    with pytest.raises(SystemExit):
        entry.main()
    said = capsys.readouterr()
    assert harmless(said.err + said.out)
    assert said.err.count(r"\x1b[31mred") == 3


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_stand_beside_its_pictures(name):
    assert tile(np.zeros((1, 2, 1, 8, 8), np.uint8), names=(name,)).height > 8


def test_quarantine_from_the_command_line(named_run, tmp_path):
    data = tmp_path / "data"
    for name in ("ant", "bee"):
        (data / name).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(np.random.default_rng(i).integers(0, 256, (9, 9), np.uint8)).save(data / name / f"{i}.png")
    (data / "ant" / "bad\x1b[2J.png").write_text("no picture")
    asked = ["check", str(data), "--no-timing", "--quarantine", str(tmp_path / "bad")]
    assert CliRunner().invoke(cli, [*asked, "--test", str(data)]).exception.cause == "--quarantine is for one folder."
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0
    assert harmless(done.stdout + done.stderr)
    assert (tmp_path / "bad" / "ant" / "bad\x1b[2J.png").exists()
    assert len(list((data / "ant").iterdir())) == 3
    assert (tmp_path / "bad" / "unreadable.csv").read_text().startswith("name,reason\n")
