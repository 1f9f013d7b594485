"""How strict a choice is."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ganaug.errors import OptionError

SCORES = ("label", "realism", "manifold", "copies")  # what samples are refused by, in this order


@dataclass(frozen=True)
class Rules:
    """The first four are shares in [0, 0.9]: a sample is refused if it scores below that quantile of real images that
    the scorer did not see; 0 does not look. So 0.1 refuses about one real image in ten.

    label: what cross-fitted classifiers give its label. realism: the score of the discriminator. manifold: how near its
    features are to those of a training image of its class. copies: how far its pixels are from every training image of
    its class. spread: standard deviation of the latents that are drawn, above 0 (below 1 more typical samples, above 1
    more varied ones). gate: a class of whose samples a smaller share than this is accepted is not served, in [0.1, 1].
    """

    label: float = 0.1
    realism: float = 0.0
    manifold: float = 0.0
    copies: float = 0.01
    spread: float = 1.0
    gate: float = 0.25

    def __post_init__(self):
        wrong = [name for name in SCORES if not 0 <= self.share(name) <= 0.9]
        if wrong:
            raise OptionError(
                f"{wrong[0]}={self.share(wrong[0])} is not the share of real images that a rule may refuse.",
                "Give 0 (which leaves the rule out) to 0.9.",
            )
        if not 0 < self.spread <= 10:
            raise OptionError(f"spread={self.spread} is no standard deviation of latents.", "Give a number like 1.2.")
        if not 0.1 <= self.gate <= 1:
            raise OptionError(f"gate={self.gate} is not a share of accepted samples.", "Give 0.1 to 1.")

    def share(self, name: str) -> float:
        """The share of real images that the rule of this name refuses."""
        return float(asdict(self)[name])
