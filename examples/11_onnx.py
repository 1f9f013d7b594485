"""A generator as one ONNX file, for programs without torch: latents and labels in, pixels from 0 to 1 out.

Needs onnx and onnxruntime. Run 01_fit_and_look.py first (or this runs it).
"""

import runpy
import sys
import warnings
from pathlib import Path

import torch

import ganaug


class Pixels(torch.nn.Module):
    """What a generator makes, in [0, 1] in place of [-1, 1]; series too, of the range that their channels have."""

    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def forward(self, *given):
        return ((self.generator(*given) + 1) / 2).clamp(0, 1)


def to_onnx(fitted, file, *given):
    """given: what the generator takes, (z, y), or (source, z, y) where it starts from images; any number later."""
    names = ["source", "z", "y"][-len(given) :]
    axes = {name: {0: "n"} for name in [*names, "pixels"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this exporter is the older one: the newer one needs onnxscript
        torch.onnx.export(
            Pixels(fitted.generator).eval(), given, file, input_names=names, output_names=["pixels"],  # eval: all of it
            dynamic_axes=axes, dynamo=False,
        )  # fmt: skip


if __name__ == "__main__":
    import onnxruntime

    runpy.run_path(str(Path(__file__).with_name("01_fit_and_look.py")))
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/examples")
    fitted = ganaug.load(out / "digits")
    z = fitted.prior.draw(20, torch.Generator().manual_seed(0))  # standard normals, 20 x 64
    y = torch.arange(20) % len(fitted.classes)  # label i means fitted.classes[i]
    to_onnx(fitted, out / "digits.onnx", z[:2], y[:2])

    session = onnxruntime.InferenceSession(out / "digits.onnx", providers=["CPUExecutionProvider"])
    (pixels,) = session.run(None, {"z": z.numpy(), "y": y.numpy()})
    difference = abs(pixels - Pixels(fitted.generator)(z, y).numpy()).max()
    assert difference < 1e-4
    print(f"{len(pixels)} images {pixels.shape[1:]} from {out / 'digits.onnx'}, {difference:.0e} from those of torch")
