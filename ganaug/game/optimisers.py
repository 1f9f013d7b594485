"""Settings of optimisers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from ganaug.game.loss import Weight


class Optimiser(Protocol):
    """What an optimiser must be: frozen settings that build one.

    Attributes
    ----------
    lr : float or callable
        Learning rate, or a schedule: a function of progress in [0, 1].

    Examples
    --------
    >>> from ganaug.game import Adam, Optimiser
    >>> optimiser: Optimiser = Adam(lr=2e-4)
    """

    @property
    def lr(self) -> Weight:
        """Learning rate, or a schedule: a function of progress in [0, 1]."""
        ...

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Build the optimiser of torch.

        Parameters
        ----------
        parameters : iterable of nn.Parameter
            What it changes.

        Returns
        -------
        torch.optim.Optimizer
            With a learning rate that is set before each move.
        """
        ...


@dataclass(frozen=True)
class Adam:
    """The optimiser Adam.

    Parameters
    ----------
    lr : float or callable
        Learning rate, or a schedule: a function of progress in [0, 1].
    betas : (float, float), default (0.0, 0.99)
        Decay of the two moving averages.
    eps : float, default 1e-8
        Added to the denominator.

    References
    ----------
    Kingma and Ba 2015, "Adam: a method for stochastic optimization", 1412.6980.

    Examples
    --------
    >>> import torch
    >>> from ganaug.game import Adam
    >>> type(Adam(lr=2e-4).build(torch.nn.Linear(2, 1).parameters())).__name__
    'Adam'
    """

    lr: Weight
    betas: tuple[float, float] = (0.0, 0.99)
    eps: float = 1e-8

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Build the optimiser of torch.

        Parameters
        ----------
        parameters : iterable of nn.Parameter
            What it changes.

        Returns
        -------
        torch.optim.Optimizer
            With a learning rate that is set before each move.
        """
        return torch.optim.Adam(parameters, lr=0.0, betas=self.betas, eps=self.eps, fused=True)


@dataclass(frozen=True)
class RMSProp:
    """The optimiser RMSProp, as WGAN with clipping wants it.

    Parameters
    ----------
    lr : float or callable
        Learning rate, or a schedule: a function of progress in [0, 1].
    alpha : float, default 0.99
        Decay of the moving average.

    References
    ----------
    Arjovsky et al. 2017, "Wasserstein GAN", 1701.07875, algorithm 1.

    Examples
    --------
    >>> import torch
    >>> from ganaug.game import RMSProp
    >>> type(RMSProp(lr=5e-5).build(torch.nn.Linear(2, 1).parameters())).__name__
    'RMSprop'
    """

    lr: Weight
    alpha: float = 0.99

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Build the optimiser of torch.

        Parameters
        ----------
        parameters : iterable of nn.Parameter
            What it changes.

        Returns
        -------
        torch.optim.Optimizer
            With a learning rate that is set before each move.
        """
        return torch.optim.RMSprop(parameters, lr=0.0, alpha=self.alpha)
