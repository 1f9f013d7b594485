"""Options of a command from a dataclass of settings, and from a file of them."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click
from click.core import ParameterSource

from ganaug.options import Reading, flag_of, is_pair

Settings = TypeVar("Settings")

# What several commands take.
OWN_RECIPE = click.option(
    "--recipe", metavar="FILE:NAME", help="file.py:function, if the run was fitted with a recipe of your own."
)
LIMIT = click.option("--limit", type=click.IntRange(2), metavar="N", help="At most N images a class.")
START = click.option("--data", help="Images to start from, for a run that translates images.")
PAIRS = click.option(
    "--pairs", type=click.Path(), metavar="FOLDER", help="Paired images (masks), of the same names as DATA's."
)
DEVICE = click.option(
    "--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ..."
)
TRUNCATION = click.option(
    "--truncation", type=click.FloatRange(0, min_open=True), metavar="T",
    help="Draw latents within T only: more typical, less varied images. Little effect where the recipe "
    "normalises the latent.",
)  # fmt: skip


class LazyOption(click.RichOption):
    """An option whose help may be a function, which is called where help is shown."""

    def __init__(self, *names: Any, help: str | Callable[[], str], **facts: Any):
        super().__init__(*names, help="", **facts)
        self.help = help

    @property
    def help(self) -> str | None:
        return self._help() if callable(self._help) else self._help

    @help.setter
    def help(self, value: Any) -> None:
        self._help = value


class NameValue(click.ParamType):
    """NAME=VALUE, where the value is JSON or else text."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Any]:
        name, sign, text = str(value).partition("=")
        if not sign:
            self.fail(f"{value!r} is not NAME=VALUE.", param, ctx)
        try:
            return name, json.loads(text)
        except ValueError:
            return name, text


def options_of(kind: type) -> Callable[[Any], Any]:
    """The options of a dataclass of settings, with --config and --print-config."""

    def decorate(command: Any) -> Any:
        command = click.option("--print-config", is_flag=True, help="Print the options as YAML and stop.")(command)
        file = click.Path(exists=True, dir_okay=False)
        command = click.option("--config", type=file, help="YAML file of these options.")(command)
        for field in reversed(_shown_fields(kind)):
            command = _option(field)(command)
        return command

    return decorate


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `Reading`; the command gets what they say as one value, `reading`."""
    shown = _shown_fields(Reading)

    @functools.wraps(command)
    def read(**given: Any) -> Any:
        return command(reading=Reading(**{field.name: given.pop(field.name) for field in shown}), **given)

    for field in reversed(shown):
        read = _option(field)(read)
    return read


def _shown_fields(kind: type) -> list[dataclasses.Field[Any]]:
    """The fields that are options: how data are read last, since every command has that."""
    inherited = {field.name for field in dataclasses.fields(Reading)} if kind is not Reading else set()
    shown = [field for field in dataclasses.fields(kind) if field.metadata["help"]]
    return sorted(shown, key=lambda field: field.name in inherited)


def _option(field: dataclasses.Field[Any]) -> Callable[[Any], Any]:
    facts, default = field.metadata, field.default
    how: dict[str, Any] = {"metavar": facts["metavar"], "default": default, "show_default": default == "auto"}
    if default is dataclasses.MISSING:  # a dict
        how |= {"type": NameValue(), "multiple": True, "default": ()}
    elif isinstance(default, bool):
        how |= {"is_flag": True}
    elif is_pair(field):
        how |= {"type": float, "nargs": 2}
    elif isinstance(default, tuple) or str(field.type).startswith("tuple"):
        how |= {"type": float if "float" in str(field.type) else str, "multiple": True, "default": ()}
    elif facts["choices"]:
        how |= {"type": click.Choice(facts["choices"])}
    elif facts["least"] is not None:
        how |= {"type": click.IntRange(facts["least"]), "metavar": facts["metavar"] or "N"}
    elif facts["path"]:
        how |= {"type": click.Path(dir_okay=facts["path"] != "file", file_okay=facts["path"] != "folder")}
    else:
        how |= {"type": str, "show_default": isinstance(default, str)}
    return click.option(flag_of(field), field.name, cls=LazyOption, help=facts["help"], **how)


def settings_from(ctx: click.Context, kind: type[Settings], given: dict[str, Any], extra: tuple[str, ...] = ()) -> Any:
    """The settings, from the command line over the file over the defaults; and what the file holds besides, by name.

    given: values of the command line. extra: other names that the file may hold. Prints the file and stops where that
    was asked for.
    """
    names = [field.name for field in dataclasses.fields(kind) if field.name in given]  # type: ignore[arg-type]
    values = {name: given[name] for name in (*names, *extra)}
    if given["config"]:
        values |= _from_file(ctx, given["config"], values)
    if "options" in values:
        values["options"] = dict(values["options"])
    if given["print_config"]:
        import yaml

        shown = {_shown(name): list(v) if isinstance(v, tuple) else v for name, v in values.items() if v is not None}
        click.echo(yaml.safe_dump(shown, sort_keys=False), nl=False)
        ctx.exit()
    others = {name: values.pop(name) for name in extra}
    return kind(**{name: value for name, value in values.items() if value != ()}), others


def _shown(name: str) -> str:
    return "set" if name == "options" else name


def _from_file(ctx: click.Context, config: str, values: dict[str, Any]) -> dict[str, Any]:
    """What the file says of options that were not typed."""
    import yaml

    try:
        small = Path(config).stat().st_size < 100_000
        given = yaml.safe_load(Path(config).read_text(encoding="utf-8")) if small else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise click.BadParameter(f"{config} is not YAML: {error}") from error
    known = [_shown(name) for name in values]
    if not isinstance(given, dict) or not set(given) <= set(known):
        raise click.BadParameter(f"{config} must be a mapping of these options: {', '.join(known)}.")
    parameters = {parameter.name: parameter for parameter in ctx.command.params}
    found = {}
    for shown, value in given.items():
        name = "options" if shown == "set" else shown
        if ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            found[name] = _of_kind(ctx, parameters[name], shown, value)
    return found


def _of_kind(ctx: click.Context, parameter: click.Parameter, name: str, value: Any) -> Any:
    """What the option itself would make of a value of the file; BadParameter for what it would refuse."""

    def refuse(wanted: str) -> click.BadParameter:
        return click.BadParameter(f"{value!r} in the file is not {wanted}.", ctx, param_hint=f"--{name}")

    if name == "set":
        plain = isinstance(value, dict) and all(isinstance(key, str) for key in value)
        if not plain or not all(isinstance(one, (str, int, float)) for one in value.values()):
            raise refuse("a mapping of settings to numbers, true or false")
        return tuple(value.items())
    if parameter.multiple:
        if not isinstance(value, list) or not all(isinstance(one, (str, float, int)) for one in value):
            raise refuse("a list of texts")
        return tuple(parameter.type.convert(one, parameter, ctx) for one in value)
    if parameter.nargs > 1 and value is not None:
        if not isinstance(value, list) or len(value) != parameter.nargs:
            raise refuse(f"a list of {parameter.nargs} numbers")
        return parameter.type_cast_value(ctx, tuple(map(str, value)))
    if getattr(parameter, "is_flag", False):
        if not isinstance(value, bool):
            raise refuse("true or false")
        return value
    if value is None and parameter.default is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise refuse("one value")
    return parameter.type_cast_value(ctx, str(value))
