"""How is a fit doing? Check-ups are numbers; findings name what is wrong and the knob to turn."""

from ganaug.health.checkup import Checkup as Checkup
from ganaug.health.checkup import Examiner as Examiner
from ganaug.health.findings import Finding as Finding
from ganaug.health.findings import findings as findings
