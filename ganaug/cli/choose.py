"""`ganaug choose`: which samples of a run are served, or which images that were made elsewhere."""

from __future__ import annotations

import rich_click as click

from ganaug.cli.group import Told, common
from ganaug.cli.options import OWN_RECIPE, reading_options

_SHARE = click.FloatRange(0, 0.9)


@click.command()
@click.argument("run", type=click.Path())
@click.argument("data")
@click.option("--label", type=_SHARE, metavar="Q", default=0.1, show_default=True,
              help="Refuse a sample whose label classifiers doubt more than those of all but a share Q of real "
              "images. 0 switches it off.")  # fmt: skip
@click.option("--realism", type=_SHARE, metavar="Q", default=0.0, show_default=True,
              help="The same by the score of the discriminator.")  # fmt: skip
@click.option("--manifold", type=_SHARE, metavar="Q", default=0.0, show_default=True,
              help="The same by the distance to training images of its class, in a classifier's features.")  # fmt: skip
@click.option("--copies", type=_SHARE, metavar="Q", default=0.01, show_default=True,
              help="Refuse a sample that is nearer to a training image of its class, in pixels, than all but a share Q "
              "of other real images are.")  # fmt: skip
@click.option("--spread", type=click.FloatRange(0, 10, min_open=True), metavar="S", default=1.0, show_default=True,
              help="Standard deviation of the latents: below 1 more typical, above 1 more varied samples. Refused "
              "where a recipe, like the default one, looks at their direction only.")  # fmt: skip
@click.option("--gate", type=click.FloatRange(0.1, 1), metavar="SHARE", default=0.25, show_default=True,
              help="A class of which fewer samples are accepted is not served.")  # fmt: skip
@click.option("--out", type=click.Path(), metavar="KEPT.csv",
              help="Of images that were made elsewhere: the list of those that pass.")  # fmt: skip
@reading_options
@OWN_RECIPE
@common
def choose(run, data, label, realism, manifold, copies, spread, gate, out, reading, recipe, seed, report):
    """Leave out samples with doubtful labels, copies of training images, and classes that came out badly.

    DATA is what the run was fitted on. The choice is kept in RUN/choice, which can be named in place of RUN wherever
    samples are served or measured. It guards against a generator that went wrong; in our own study (docs/study.md) no
    rule made a classifier better, so ask `ganaug bench` before you choose in order to gain.

    In the place of RUN, name images that were made elsewhere, in a folder of class folders: the list of those that pass
    can then be named in their place.

    \b
    ganaug choose  runs/leaves data/train
    ganaug choose  runs/leaves data/train --label 0.2 --manifold 0.05
    ganaug bench   data/train --test data/test --run runs/leaves/choice --out runs/leaves/chosen
    ganaug augment runs/leaves/choice --balance --out data/train_synth
    ganaug choose  made_by_diffusion data/train --out kept.csv
    """
    from ganaug.cli.load import own_recipe
    from ganaug.samples.choose import choose as make_choice
    from ganaug.samples.choosing.rules import Rules

    rules = Rules(label, realism, manifold, copies, spread, gate)
    own = own_recipe(recipe)
    found = make_choice(run, data, rules, reading, seed=seed, recipe=own, out=out, report=report)
    return Told(found.to_json(), found.lines())
