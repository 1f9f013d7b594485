"""Real and synthetic images in shards, read as one stream: for data that are larger than memory or disk.

The synthetic shards may be made by many machines at once: `sbatch --array=0-3 --wrap "ganaug augment RUN --per-class 64
--format tar --shards 4 --out FOLDER"`. Needs Hugging Face's `datasets`. With the package webdataset, the stream is
`wds.RandomMix([wds.WebDataset(real), wds.WebDataset(synthetic)], probs=[1 - RATIO, RATIO])`.
"""

import io
import runpy
import sys
import tarfile
from pathlib import Path

import torch
from datasets import interleave_datasets, load_dataset
from PIL import Image
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader
from torchvision.transforms.v2.functional import pil_to_tensor

import ganaug

RATIO = 0.25  # the synthetic share of the stream

runpy.run_path(str(Path(__file__).with_name("01_fit_and_look.py")))
out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/examples")
run, real, synthetic = ganaug.load(out / "digits"), out / "real_shards", out / "synthetic_shards"

real.mkdir(exist_ok=True)  # real images in shards, as you may have them: KEY.png and KEY.cls, the label
digits = load_digits()
for shard in range(4):
    with tarfile.open(real / f"real-{shard:05}-of-00004.tar", "w") as archive:
        for index in range(shard, 400, 4):
            png = io.BytesIO()
            Image.fromarray((digits.images[index] * (255 / 16)).round().astype("uint8")).save(png, "PNG")
            for end, data in (("png", png.getvalue()), ("cls", str(digits.target[index]).encode())):
                member = tarfile.TarInfo(f"real-{index:06}.{end}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
assert list(run.classes) == [str(label) for label in digits.target_names]  # in whose order cls numbers them
ganaug.augment(run, dict.fromkeys(run.classes, 64), synthetic, format="tar", shards=4)  # whole shards are kept


def stream(folder: Path):
    files = sorted(map(str, folder.glob("*.tar")))
    columns = ["png", "cls", "__key__"]
    return load_dataset("webdataset", data_files=files, split="train", streaming=True).select_columns(columns)


def batch_of(items: list[dict]) -> tuple[torch.Tensor, torch.Tensor, int]:
    images = torch.stack([pil_to_tensor(item["png"]) for item in items])
    return images, torch.tensor([item["cls"] for item in items]), sum("real" not in item["__key__"] for item in items)


both = interleave_datasets([stream(real), stream(synthetic)], probabilities=[1 - RATIO, RATIO], seed=0)
for images, labels, made in DataLoader(both.shuffle(seed=0, buffer_size=200), batch_size=64, collate_fn=batch_of):
    print(f"{len(images)} images {tuple(images.shape[1:])}, {made} synthetic, first labels {labels[:8].tolist()}")
