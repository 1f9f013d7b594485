"""How strict a choice is."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ganaug.errors import OptionError

SCORES = ("label", "realism", "manifold", "copies")  # what samples are refused by, in this order


@dataclass(frozen=True)
class Rules:
    """How strict a choice is.

    A sample is refused if it scores below a quantile of real images that the scorer did not see. The first four
    parameters are these quantiles, from 0, which leaves the rule out, to 0.9; 0.1 refuses about one real image in ten.

    Parameters
    ----------
    label : float, default 0.1
        What cross-fitted classifiers give its label.
    realism : float, default 0.0
        The score of the discriminator.
    manifold : float, default 0.0
        How near its features are to those of a training image of its class.
    copies : float, default 0.01
        How far its pixels are from every training image of its class.
    spread : float, default 1.0
        Standard deviation of the latents that are drawn, above 0 and at most 10: below 1 samples are more typical,
        above 1 more varied.
    gate : float, default 0.25
        A class of whose samples a smaller share than this is accepted is not served, 0.1 to 1.

    Raises
    ------
    OptionError
        A value is out of range.

    Examples
    --------
    >>> import ganaug
    >>> ganaug.Rules(label=0.2).share("label")
    0.2
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
            raise OptionError(
                f"spread={self.spread} is not a standard deviation of latents.", "Give a number like 1.2."
            )
        if not 0.1 <= self.gate <= 1:
            raise OptionError(f"gate={self.gate} is not a share of accepted samples.", "Give 0.1 to 1.")

    def share(self, name: str) -> float:
        """Give the share of real images that a rule refuses.

        Parameters
        ----------
        name : {"label", "realism", "manifold", "copies"}
            The rule.

        Returns
        -------
        float
            The share, 0 to 0.9.
        """
        return float(asdict(self)[name])
