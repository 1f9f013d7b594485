"""Generators on the Hugging Face Hub: the files of a generator folder, with a page that shows and says what it is."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.data.spec import KINDS, ImageCodec
from ganaug.defaults import usual_defaults
from ganaug.errors import ArtefactError, GanaugError, HubError, OptionError, OutputInUseError
from ganaug.files.integrity import MANIFEST, need_space, read_verified, sealed, writing
from ganaug.files.lock import sole_maker
from ganaug.generator.folder import CARD, WEIGHTS, Fitted, OwnRecipe
from ganaug.reporting import printable
from ganaug.samples.blocks import Renderer
from ganaug.samples.pictures import MOST_ROWS, in_proportion, tile
from ganaug.samples.run import Loadable, Run, as_loaded, load
from ganaug.samples.verdict import own_verdict

_GENERATOR = tuple(f"generator/{name}" for name in (CARD, WEIGHTS, MANIFEST))
_VERDICT = "verdict.json"
_SHARED = (  # of a verdict: what serving goes by, and no commands, paths or names of files
    "format", "verdict", "sentence", "ratio", "mode", "use", "use settings", "generator", "run generator", "settings",
    "classifier", "metric", "difference", "date", "benches",
)  # fmt: skip
_SHOWN = 50  # classes on the page
_COLUMNS = 8  # samples of each in its picture


@usual_defaults()
def to_hub(run: Loadable, repo: str, *, private: bool = True, token: str | None = None) -> str:
    """Share a generator on the Hugging Face Hub: its files, its verdict, and a page with a grid of samples.

    Neither real images nor likenesses of them are sent, nor states or logs of the fit. A generator can give away what
    it was fitted on all the same, so that the repository is private unless you say otherwise.

    Parameters
    ----------
    run : str, path, Run or Fitted
        A run folder, a generator folder, or what `ganaug.load` gives; not RUN/choice.
    repo : str
        The name of the repository, "user/name". It is made where there is none.
    private : bool, default True
        Whether a repository that is made is for you alone.
    token : str, optional
        An access token with the right to write; by default that of `hf auth login`.

    Returns
    -------
    str
        The address of its page.

    Raises
    ------
    OptionError
        A choice among samples was given.
    HubError
        The Hub cannot be reached, or refuses.

    Examples
    --------
    >>> import ganaug
    >>> ganaug.to_hub("runs/digits", "me/digits")  # doctest: +SKIP
    'https://huggingface.co/me/digits'
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.utils import validate_repo_id

    fitted = as_loaded(run)
    if fitted.choice is not None:
        raise OptionError(f"{fitted.path} is a choice among samples, which is not shared.", "Name the run itself.")
    with _asking(repo):
        validate_repo_id(repo)
    api, verdict = HfApi(token=token, library_name="ganaug"), own_verdict(fitted)
    contents, _ = read_verified(fitted.path, (CARD, WEIGHTS))
    files = {f"generator/{name}": data for name, data in contents.items()}
    files[f"generator/{MANIFEST}"] = (fitted.path / MANIFEST).read_bytes()
    if verdict is not None:
        files[_VERDICT] = sealed({name: verdict[name] for name in _SHARED if name in verdict})
    grid = _grid(fitted)
    if grid is not None:
        files["grid.png"] = grid
    files["README.md"] = page(fitted, repo, verdict, grid is not None).encode()
    with _asking(repo):
        place = api.create_repo(repo, private=private, exist_ok=True)
        operations = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=data) for name, data in files.items()]
        api.create_commit(repo, operations, commit_message=f"Generator {fitted.hash[:12]}")
    return str(place)


@usual_defaults()
def from_hub(
    repo: str,
    out: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    recipe: OwnRecipe | None = None,
) -> Run:
    """Fetch a generator that `to_hub` shared, into a new run folder.

    No code from it is run: every file is checked against its manifest before the folder appears, as `ganaug.load` does.

    Parameters
    ----------
    repo : str
        The name of the repository, "user/name".
    out : str or path
        The run folder, which must not exist.
    revision : str, optional
        A branch, tag or commit; by default the newest state. All files are those of one commit.
    token : str, optional
        An access token, for what is private; by default that of `hf auth login`.
    recipe : Recipe or callable, optional
        The recipe, for a generator that was fitted with one from a file of your own.

    Returns
    -------
    Run
        The run folder, with the verdict if there is one.

    Raises
    ------
    OutputInUseError
        `out` exists.
    ArtefactError
        The repository holds no generator, or one that was altered.
    HubError
        The Hub cannot be reached, or there is no such repository for you.
    DiskFullError, UnwritableError
        There is no room, or no right, to write.

    Examples
    --------
    >>> import ganaug
    >>> ganaug.from_hub("me/digits", "runs/fetched")  # doctest: +SKIP
    Run('runs/fetched', 10 classes, 12 steps of small, not benched)
    """
    from huggingface_hub import HfApi

    out, api = Path(out), HfApi(token=token, library_name="ganaug")
    if os.path.lexists(out):
        raise OutputInUseError(f"{out} exists.", "Choose a new name.")
    with _asking(repo):
        found = api.model_info(repo, revision=revision, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in found.siblings or []}
    missing = [name for name in _GENERATOR if name not in sizes]
    if missing:
        raise ArtefactError(f"{repo} holds no generator of ganaug: {missing[0]} is missing.", "Name another one.")
    wanted = [*_GENERATOR, *([_VERDICT] if _VERDICT in sizes else [])]
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        need_space(out.parent, sum(sizes[name] for name in wanted))
        with sole_maker(out) as part:
            part.mkdir()
            with _asking(repo):
                for name in wanted:
                    api.hf_hub_download(repo, name, revision=found.sha, local_dir=part)
            shutil.rmtree(part / ".cache", ignore_errors=True)  # of the Hub's own notes
            load(part, recipe=recipe)
            Run(part).verdict  # noqa: B018 (raises where it was altered)
            os.replace(part, out)
    return Run(out)


def page(fitted: Fitted, repo: str, verdict: dict[str, Any] | None, grid: bool) -> str:
    """The page of a generator, in Markdown. Names are other people's text: no markup comes of them."""
    card, kind = fitted.card, KINDS[len(fitted.card.shape)]
    named = list(card.counts.items())
    rows = [f"| {_plain(name)} | {n} |" for name, n in named[:_SHOWN]]
    rows += [f"| and {len(named) - _SHOWN} more | |"] if len(named) > _SHOWN else []
    said = (
        "It was not benchmarked: nobody knows whether its samples help a classifier."
        if verdict is None
        else f"**{_plain(verdict['verdict'])}**: {_plain(str(verdict.get('sentence', '')))}"
    )
    use = {
        "images": f"loader = ganaug.augment_loader(loader, run, ratio={'0.25' if verdict is None else repr('auto')})",
        "rows": 'ganaug.augment(run, dict.fromkeys(run.classes, 100), "synthetic.csv")',
        "series": 'ganaug.augment(run, dict.fromkeys(run.classes, 100), "synthetic.npz")',
    }[kind]
    size = " x ".join(map(str, card.shape[1:] or card.shape))
    lines = ["---", "library_name: ganaug", "tags:", "- gan", "- data-augmentation", "---", "", f"# {repo}", ""]
    made = f"fitted with ganaug: recipe {_plain(card.recipe)}, {card.steps} steps"
    lines += [f"A generator of labelled {kind} ({size}), {made}.", ""]
    lines += ["![Samples, one row a class](grid.png)", ""] if grid else []
    lines += [f"| class | {kind} that it was fitted on |", "|---|---|", *rows, ""]
    lines += ["## Does it help?", "", said, "", "## How to use it", ""]
    fetch = f'run = ganaug.from_hub("{repo}", "runs/{repo.split("/")[-1]}")'
    lines += ["```python", "import ganaug", "", fetch, use, "```", ""]
    lines += [
        "A generator can give away what it was fitted on. Its samples carry the faults and the bias of these data."
    ]
    return "\n".join([*lines, ""])


def _grid(fitted: Fitted) -> bytes | None:
    """A picture of samples; None of what is no image, or is made from real ones."""
    if not isinstance(fitted.card.codec, ImageCodec) or fitted.starts_from is not None:
        return None
    renderer, file = Renderer(fitted), io.BytesIO()
    rows = [renderer.rows(label, range(_COLUMNS)) for label in range(min(len(fitted.classes), MOST_ROWS))]
    tile(in_proportion(np.stack(rows), fitted.card.codec)).save(file, "PNG")
    return file.getvalue()


def _plain(text: str) -> str:
    """Text that no reader of Markdown takes for markup."""
    return "".join(c if c.isalnum() or c in " /.,:;%'" else f"&#{ord(c)};" for c in printable(text))


@contextmanager
def _asking(repo: str) -> Iterator[None]:
    """Whatever the client of the Hub raises, as HubError."""
    try:
        yield
    except GanaugError:
        raise
    except Exception as error:  # it has errors of its own, of its HTTP library and of the system
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), "it says no more")
        cause = (
            f"The Hugging Face Hub refuses {repo!r} or cannot be reached: {type(error).__name__}: {said.rstrip('.')}."
        )
        raise HubError(cause, "Check the name, your rights (`hf auth login`, token=) and the network.") from error
