"""Too few images of one class: fill it up, as a data set or as arrays.

Run 01_fit_and_look.py first (or this runs it).
"""

import runpy
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from torch.utils.data import TensorDataset

import ganaug

runpy.run_path(str(Path(__file__).with_name("01_fit_and_look.py")))
run = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/examples") / "digits"

# Three classes, one of them rare.
bunch = load_digits()
images = (bunch.images * (255 / 16)).round().astype("uint8")
keep = np.concatenate([np.flatnonzero(bunch.target == digit)[:n] for digit, n in ((0, 100), (1, 100), (8, 12))])
X, y = images[keep], bunch.target[keep]
print("before:", np.bincount(y, minlength=10))

# Like imbalanced-learn, for images: originals first, then the synthetic ones. It warns that the generator saw other
# images as well: none of them may be among those of a test.
X2, y2 = ganaug.GANSampler(run).fit_resample(X, y)
print("after: ", np.bincount(y2, minlength=10), X2.shape, X2.dtype)

# The same as a data set for any training loop. Classes are matched by name; tensors have none, so they are given.
import torch  # noqa: E402

bare = TensorDataset(torch.from_numpy(X)[:, None].float() / 255, torch.from_numpy(y).long())
to_tensor = lambda image: torch.from_numpy(np.array(image, dtype=np.float32))[None] / 255  # noqa: E731
mixed = ganaug.mix(bare, run, mode="balance", classes=[str(d) for d in range(10)], transform=to_tensor)
print(mixed)
