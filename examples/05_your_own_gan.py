"""A GAN of one's own in one file: least squares (Mao et al. 2017, 1611.04076) on the DCGAN networks.

ganaug fit data/train --recipe examples/05_your_own_gan.py:lsgan --out runs/lsgan
"""

import sys
from dataclasses import replace
from pathlib import Path

from ganaug.game import term
from ganaug.recipes import make


@term
def least_squares(r):
    """E (D(x) - 1)² + E D(G(z))²: equation 2, with a = 0 and b = 1."""
    return (r.real_scores - 1).square().mean() + r.fake_scores.square().mean()


@term
def towards_one(r):
    """E (D(G(z)) - 1)²."""
    return (r.fake_scores - 1).square().mean()


def lsgan(lr: float = 2e-4):
    """Least squares GAN."""
    base = make("dcgan", {"lr": lr})
    discriminator, generator = base.players
    return replace(base, players=(replace(discriminator, loss=least_squares), replace(generator, loss=towards_one)))


if __name__ == "__main__":
    import ganaug

    print(lsgan())
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/examples") / "lsgan"
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    run = ganaug.fit("digits", out, recipe=f"{__file__}:lsgan", steps=steps, limit=40, resume=True)
    fitted = ganaug.load(run, recipe=lsgan())  # a recipe file is code: it runs when you name it, never from a card
    ganaug.preview(fitted, out / "preview")
    print("look at", out / "preview" / "grid.png")
