"""`ganaug fit`: train a generator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click
from click.core import ParameterSource

from ganaug.cli.group import common, settings_of, show


@click.command()
@click.argument("data", required=False)
@click.option("--out", type=click.Path(), help="Run folder to make.")
@click.option(
    "--recipe",
    metavar="NAME",
    default="auto",
    show_default=True,
    help="A name (`ganaug recipes`) or file.py:function; auto is small, for tables wgan_gp, for series rcgan.",
)
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting of the recipe; repeatable.")
@click.option("--budget", metavar="TIME", help="Training time, like 90s, 10m or 1.5h.  [default: 10m]")
@click.option("--steps", type=click.IntRange(1), metavar="N", help="Rounds of training, in place of a budget.")
@click.option("--size", metavar="PX", default="auto", show_default=True, help="Side of the generated images.")
@click.option(
    "--channels", type=click.Choice(["auto", "1", "3"]), default="auto", show_default=True, help="1 grey, 3 RGB."
)
@click.option("--limit", type=click.IntRange(2), metavar="N", help="At most N images a class.")
@click.option("--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ...")
@click.option("--root", type=click.Path(), help="Folder of a torchvision or timm data set given by name.")
@click.option("--split", metavar="NAME", default="train", show_default=True, help="Part of a .npz file or named set.")
@click.option("--groups", type=click.Path(dir_okay=False), help="CSV: item, group. Groups are held out whole.")
@click.option(
    "--source", type=click.Path(), metavar="FOLDER", help="Paired images (masks), of the same names as DATA's."
)
@click.option("--label", metavar="COL", help="Column of classes of a table.")
@click.option("--drop", multiple=True, metavar="COL", help="Column of a table to leave out; repeatable.")
@click.option(
    "--kind",
    type=click.Choice(["auto", "images", "table", "series"]),
    default="auto",
    show_default=True,
    help="What DATA holds; only series (N, C, T) need it.",
)
@click.option("--strict", is_flag=True, help="Stop at the first unreadable image.")
@click.option(
    "--auto-fix",
    is_flag=True,
    help="Cut learning rates once, half-way, where the doctor finds no convergence, oscillation, or a discriminator "
    "that is saturated or overfits.",
)
@click.option("--resume", is_flag=True, help="Go on with an interrupted fit.")
@click.option(
    "--fork",
    type=click.Path(exists=True, file_okay=False),
    metavar="RUN",
    help="Begin where RUN is, with other settings (--set, --steps, --budget) and the same data.",
)
@click.option("--config", type=click.Path(exists=True, dir_okay=False), help="YAML file of these options.")
@click.option("--print-config", is_flag=True, help="Print the options as YAML and stop.")
@click.option("--dry-run", is_flag=True, help="Read the images, say what would be done, write nothing.")
@common
@click.pass_context
def fit(ctx, pairs, resume, config, print_config, dry_run, strict, as_json, quiet, **options):
    """Train a class-conditional generator on the labelled images, table or series DATA.

    DATA is a folder of class folders, a .npz file (x_train, y_train, classes), `digits`, the name of a torchvision or
    timm data set (with --root), or a .csv file (with --label).

    \b
    ganaug fit data/train --out runs/leaves --budget 10m
    ganaug fit mnist.npz --limit 100 --out runs/mnist --steps 3000
    ganaug fit data/train --out runs/leaves --resume
    ganaug fit data/train --out runs/longer --fork runs/leaves --budget 20m
    ganaug fit table.csv --label diagnosis --out runs/table
    ganaug fit waves.npz --out runs/waves
    ganaug fit photos --source masks --recipe pix2pix --out runs/cells
    ganaug fit data/train --out runs/mine --recipe mygan.py:lsgan --set lr=0.0003
    """
    values = _merged(ctx, options, settings_of(pairs), config)
    if print_config:
        import yaml

        click.echo(yaml.safe_dump({k: v for k, v in values.items() if v is not None}, sort_keys=False), nl=False)
        return
    for name in ("data", "out"):
        if values[name] is None:
            raise click.UsageError(f"Missing {name.upper() if name == 'data' else '--out'}.", ctx)
    from ganaug.cli.console import terminal
    from ganaug.fitting.estimate import in_words

    with terminal(quiet) as report:
        if dry_run:
            from ganaug.fitting.estimate import dry_run as plan

            estimate = plan(
                **{k: v for k, v in _arguments(values).items() if k not in ("fork", "auto_fix")},
                strict=strict,
                report=report,
            )
            show(as_json, estimate.to_json(), estimate.lines())
            return
        from ganaug.cli.load import load_run
        from ganaug.fitting.fit import fit as train

        run = train(**_arguments(values), resume=resume, strict=strict, report=report)
    own = values["recipe"] if values["recipe"] and ":" in values["recipe"] else None
    card = load_run(str(run.path), own).card
    show(
        as_json,
        {"run": str(run.path), "steps": card.steps, "classes": list(card.classes), "shape": list(card.shape)},
        [
            f"{run.path}: {card.steps} steps, {len(card.classes)} classes, {in_words(card.shape)}.",
            _next(run.path, card.shape),
        ],
    )


def _next(path: Path, shape: tuple[int, ...]) -> str:
    """What to do with a finished run."""
    if len(shape) == 3:
        return f"Look at it: ganaug preview {path}"
    return f"Draw samples: ganaug augment {path} --balance --out OUT.{'csv' if len(shape) == 1 else 'npz'}"


def _merged(ctx: click.Context, options: dict[str, Any], pairs: dict[str, Any], config: str | None) -> dict[str, Any]:
    """Options of the command line over those of the file over the defaults."""
    values = {**options, "set": pairs}
    if config is None:
        return values
    import yaml

    try:
        small = Path(config).stat().st_size < 100_000
        given = yaml.safe_load(Path(config).read_text(encoding="utf-8")) if small else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise click.BadParameter(f"{config} is not YAML: {error}") from error
    if not isinstance(given, dict) or not set(given) <= set(values):
        known = ", ".join(values)
        raise click.BadParameter(f"{config} must be a mapping of these options: {known}.")
    parameters = {parameter.name: parameter for parameter in ctx.command.params}
    for name, value in given.items():
        parameter = "pairs" if name == "set" else name
        if ctx.get_parameter_source(parameter) is not ParameterSource.COMMANDLINE:
            values[name] = _of_kind(ctx, parameters[parameter], name, value)
    return values


def _of_kind(ctx: click.Context, parameter: click.Parameter, name: str, value: Any) -> Any:
    """What the option itself would make of a value of the file; BadParameter for what it would refuse."""

    def refuse(wanted: str) -> click.BadParameter:
        return click.BadParameter(f"{value!r} in the file is not {wanted}.", ctx, param_hint=f"--{name}")

    if name == "set":
        plain = isinstance(value, dict) and all(isinstance(key, str) for key in value)
        if not plain or not all(isinstance(one, (str, int, float)) for one in value.values()):
            raise refuse("a mapping of settings to numbers, true or false")
        return value
    if parameter.multiple:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise refuse("a list of texts")
        return value
    if getattr(parameter, "is_flag", False):
        if not isinstance(value, bool):
            raise refuse("true or false")
        return value
    if value is None and parameter.default is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise refuse("one value")
    return parameter.type_cast_value(ctx, str(value))


def _arguments(values: dict[str, Any]) -> dict[str, Any]:
    """Options as arguments of `ganaug.fit`."""
    size, channels = values["size"], values["channels"]
    return {
        **{k: v for k, v in values.items() if k not in ("set", "size", "channels")},
        "options": values["set"],
        "size": size if size == "auto" else _whole("size", size),
        "channels": channels if channels == "auto" else _whole("channels", channels),
    }


def _whole(name: str, text: Any) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a whole number or auto.", param_hint=f"--{name}") from error
