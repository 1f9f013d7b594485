"""Losses and grids of a fit in TensorBoard, Weights & Biases (offline) and MLflow, where these are installed."""

import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

import ganaug

out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/examples")
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 400


def numbers(values):
    return {name: value for name, value in values.items() if isinstance(value, float)}


def tensorboard(step, values):
    for name, value in numbers(values).items():
        writer.add_scalar(name, value, step)
    if "grid" in values:
        writer.add_image("grid", np.asarray(values["grid"]), step, dataformats="HWC")


def weights_and_biases(step, values):
    wandb.log(numbers(values) | ({"grid": wandb.Image(values["grid"])} if "grid" in values else {}), step=step)


def ml_flow(step, values):
    mlflow.log_metrics(numbers(values), step=step)
    if "grid" in values:
        mlflow.log_image(values["grid"], f"grid-{step:06}.png")


trackers = [lambda step, values: print(f"step {step}:", ", ".join(values))]
with suppress(ImportError):
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(out / "tensorboard"))
    trackers.append(tensorboard)
with suppress(ImportError):
    import wandb

    wandb.init(project="ganaug", mode="offline", dir=str(out))  # later: wandb sync FOLDER/wandb/offline-run-*
    trackers.append(weights_and_biases)
with suppress(ImportError):
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{out / 'mlflow.db'}")
    trackers.append(ml_flow)


def track(step, values):
    for tracker in trackers:
        tracker(step, values)


ganaug.fit("digits", out / "tracked", steps=steps, limit=40, resume=True, track=track)
