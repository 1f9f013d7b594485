"""RUN/choice from anywhere: mutants of its files are refused, or are sound files, and run nothing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import ganaug
from ganaug import Rules
from ganaug.classifier.judge import CROSSWISE
from ganaug.errors import ArtefactError
from ganaug.files.integrity import write_manifest
from ganaug.samples.blocks import BLOCK, Renderer
from tests.fuzz.audit import watched
from tests.fuzz.folders import SETTINGS, change_header, change_json, change_text, workplace
from tests.fuzz.images import mutate

FILES = ("choice.json", "choice.safetensors")


@pytest.fixture(scope="module")
def run_with_choice(tmp_path_factory):
    rng = np.random.default_rng(0)
    data = rng.integers(0, 256, (40, 8, 8), dtype=np.uint8), np.arange(40) % 2
    run = ganaug.fit(data, tmp_path_factory.mktemp("choices") / "run", options=SETTINGS, steps=3)
    with pytest.MonkeyPatch.context() as patch:  # judges of a quarter of the steps
        patch.setattr("ganaug.classifier.judge.CROSSWISE", replace(CROSSWISE, steps=CROSSWISE.steps // 4))
        ganaug.choose(run, data, Rules(realism=0.05, manifold=0.05))
    return run.path


@pytest.mark.long
def test_mutants_of_a_choice_are_refused_and_run_nothing(run_with_choice):
    rng, refused, sound = np.random.default_rng(0), 0, 0
    with workplace() as work:
        shutil.copytree(run_with_choice / "generator", work / "generator")
        folder = work / "choice"
        whole = {name: (run_with_choice / "choice" / name).read_bytes() for name in (*FILES, "manifest.json")}
        folder.mkdir()

        def lay(files: dict[str, bytes]) -> None:
            for name, data in {**whole, **files}.items():
                (folder / name).write_bytes(data)

        lay({})
        Renderer(ganaug.load(folder)).block(0, 0)  # what is imported late is imported now
        for number in range(160):
            kind = number % 4
            if kind == 0:  # without a fitting manifest
                name = str(rng.choice(list(whole)))
                changed = mutate(whole[name], whole[FILES[0]], rng)
                if changed == whole[name]:
                    continue
                lay({name: changed})
            else:
                files = {name: whole[name] for name in FILES}
                if kind == 1:
                    files[FILES[0]] = json.dumps(change_json(json.loads(files[FILES[0]]), rng)).encode()
                elif kind == 2:
                    files[FILES[1]] = change_header(files[FILES[1]], rng)
                else:
                    files[FILES[0]] = change_text(files[FILES[0]], rng)
                write_manifest(folder, files)
            with watched(work) as watch:
                try:
                    block = Renderer(ganaug.load(folder)).block(1, 0)
                except ArtefactError:
                    refused += 1
                else:
                    assert kind != 0, "a mutant that nothing vouches for"
                    assert block.shape == (BLOCK, 1, 8, 8)
                    sound += 1
            assert watch.seen == []
    assert refused > 100
    assert 0 < sound < 30
