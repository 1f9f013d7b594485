"""The pages of the site as MyST: guides as they are in docs/, the examples with their output, and the public names."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from scripts.site.names import by_group, value_of

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def placed(path: str) -> str | None:
    """Where a file of the repository is on the site, from its root; None for what has no page."""
    file = PurePosixPath(path)
    if file.parts[:1] == ("docs",) and file.suffix in (".md", ".png"):
        return path
    if file.parent == PurePosixPath("examples") and file.suffix == ".py":
        return f"examples/{file.stem}.md"
    return {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md",
            "examples": "examples/index.md", "docs": "docs/index.md"}.get(path)  # fmt: skip


def relinked(text: str, path: str) -> str:
    """A page of the repository with its links as they are on the site; links to files without a page become text."""
    here = PurePosixPath(placed(path) or path).parent

    def link(match: re.Match[str]) -> str:
        picture, words, target, anchor = match.groups()
        there = placed(os.path.normpath(PurePosixPath(path).parent / target))
        return words if there is None else f"{picture}[{words}]({os.path.relpath(there, here)}{anchor or ''})"

    return LINK.sub(link, text)


def output_of(example: Path, folder: Path) -> str:
    """What an example prints. Raises CalledProcessError where it fails."""
    print(f"running {example.name}", flush=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, str(example)], cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def pictures_in(output: str, folder: Path) -> list[Path]:
    """The pictures whose paths an example prints, from the folder in which it ran."""
    return [folder / name for name in dict.fromkeys(re.findall(r"\S+\.png\b", output)) if (folder / name).is_file()]


def example_page(example: Path, output: str, pictures: Sequence[str] = ()) -> str:
    """Its docstring, its code, what it prints and, by their names on the site, the pictures that it makes."""
    text = example.read_text(encoding="utf-8")
    said = ast.get_docstring(ast.parse(text)) or ""
    title, _, rest = said.partition("\n\n")
    code = text.split('"""', 2)[2].strip()
    shown = f"It prints:\n\n```text\n{output.rstrip()}\n```\n" if output else ""
    drawn = "".join(f"\n![{name}]({name})\n" for name in pictures)
    return f"# {' '.join(title.split()).rstrip('.')}\n\n{rest}\n\n```python\n{code}\n```\n\n{shown}{drawn}"


def api_page(name: str) -> str:
    """The docstring of a public name, or of a result, and those of its methods."""
    module, _, last = name.rpartition(".")
    kind, members = ("class", "   :members:\n") if inspect.isclass(value_of(name)) else ("function", "")
    return f"# {titled(name)}\n\n```{{eval-rst}}\n.. currentmodule:: {module}\n\n.. auto{kind}:: {last}\n{members}```\n"


def titled(name: str) -> str:
    """ "ganaug.fit"; of a result its own name alone."""
    return name if name.count(".") < 3 else name.rpartition(".")[2]


def api_index() -> str:
    """All of them in groups, with the first line of each."""
    parts = [
        "# API",
        "Examples begin with a run in `runs/digits`, a short fit on digits that are part of scikit-learn.",
    ]
    for title, names in by_group().items():
        firsts = {name: (inspect.getdoc(value_of(name)) or "").partition("\n")[0] for name in names}
        rows = [f"- [{titled(name)}]({name}.md): {said}" for name, said in firsts.items()]
        parts += [f"## {title}", "\n".join(rows), contents(names, hidden=True)]
    return "\n\n".join(parts) + "\n"


def contents(names: list[str], *, hidden: bool = False) -> str:
    return "\n".join(["```{toctree}", ":hidden:" if hidden else ":maxdepth: 1", "", *names, "```"])


def all_pages(run_examples: bool) -> dict[str, str | bytes]:
    """Path on the site -> text, or a picture."""
    guides, background = (sorted((ROOT / folder).glob("*.md")) for folder in ("docs/guides", "docs"))
    examples = sorted((ROOT / "examples").glob("*.py"))
    listed = contents([f"guides/{one.stem}" for one in guides]), contents([one.stem for one in background])
    pages: dict[str, str | bytes] = {
        "docs/index.md": f"# Guides\n\n{listed[0]}\n\n## What it reads, promises and gives\n\n{listed[1]}\n",
        "examples/index.md": f"# Examples\n\nIn reading order.\n\n{contents([one.stem for one in examples])}\n",
        "api/index.md": api_index(),
    }
    written = [str(page.relative_to(ROOT)) for page in (*guides, *background)]
    for path in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", *written):
        pages[placed(path) or path] = relinked((ROOT / path).read_text(encoding="utf-8"), path)
    sections = ["docs/index", "examples/index", "api/index", "contributing", "changelog"]
    pages["index.md"] = f"{pages['index.md']}\n{contents(sections, hidden=True)}\n"
    pages |= {f"api/{name}.md": api_page(name) for names in by_group().values() for name in names}
    shown: set[Path] = set()  # some examples begin with another one
    with tempfile.TemporaryDirectory() as folder:
        for example in examples:
            output = output_of(example, Path(folder)) if run_examples else ""
            new = [file for file in pictures_in(output, Path(folder)) if file not in shown]
            shown |= {*new}
            pictures = {f"{example.stem}-{file.name}": file for file in new}
            pages |= {f"examples/{name}": file.read_bytes() for name, file in pictures.items()}
            pages[f"examples/{example.stem}.md"] = example_page(example, output, list(pictures))
    return pages
