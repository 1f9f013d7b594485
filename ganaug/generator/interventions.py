"""What befell a fit on its way, as data: kept with its state, and on the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ganaug.files.checked import bounded, fields_of, is_, text

KINDS = ("retry", "fork", "environment", "fix")


@dataclass(frozen=True)
class Intervention:
    """kind: "retry", a number was not finite and the fit went back to the round `start` and on with other draws;
    "fork", it began from the state of another run; "environment", it was resumed under other libraries, threads or
    device, or on a GPU, so that its bytes are not those of an uninterrupted fit; "fix", the doctor turned the knob for
    the finding that `cause` names. step: the round in which it happened."""

    kind: str
    step: int
    start: int
    cause: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(value: Any) -> Intervention:
        """Raises TypeError or ValueError for anything but a well-formed one."""
        fields_of(is_(value, dict), {"kind", "step", "start", "cause"})
        if value["kind"] not in KINDS:
            raise ValueError(f"{value['kind']!r} is not a kind of intervention")
        step = bounded(value["step"], 0, 2**53)
        return Intervention(value["kind"], step, bounded(value["start"], 0, step), text(value["cause"]))


def retries(interventions: Sequence[Intervention]) -> int:
    """How often a fit went back to an earlier state; part of the key of every draw."""
    return sum(one.kind == "retry" for one in interventions)
