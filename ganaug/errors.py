"""What can go wrong through no fault of ours: one base class, a few kinds.

Every message has two parts, the cause and the fix, so that it can be acted on without reading the source. Each kind
is also the builtin exception that a caller would expect to catch, and carries the exit code of the command line.
"""

from __future__ import annotations


class GanaugError(Exception):
    """Base of every error that ganaug raises on purpose.

    Parameters
    ----------
    cause : str
        What is wrong.
    fix : str, default ""
        What to do about it.

    Attributes
    ----------
    exit_code : int
        The exit code of a command that ends with this error.

    Examples
    --------
    >>> import ganaug
    >>> try:
    ...     ganaug.fit("digits", "runs/none", steps=0)
    ... except ganaug.GanaugError as error:
    ...     print(error.cause, "|", error.fix)
    steps is 0. | Give a whole number, 1 or more.
    """

    exit_code = 3

    def __init__(self, cause: str, fix: str = ""):
        super().__init__(cause, fix)
        self.cause = cause
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.cause} {self.fix}".strip()


class OptionError(GanaugError, ValueError):
    """A setting that does not exist, or a value that it cannot take (exit code 2)."""

    exit_code = 2


class RecipeError(OptionError):
    """A recipe, or a setting of one, that does not exist or cannot be used (exit code 3)."""

    exit_code = 3


class OwnTrainingError(GanaugError, RuntimeError):
    """A user's own training function does not exist, fails, or does not do what was agreed."""


class DataError(GanaugError, ValueError):
    """The labelled images cannot be used as they are."""


class UnreadableImageError(DataError):
    """One image cannot be decoded; `cause` says why. Reading a set skips and lists such items."""


class LabelMismatchError(DataError):
    """Two sides name different classes, or labels do not fit the class names."""


class TooFewImagesError(DataError):
    """A class has fewer images than the operation needs."""


class LeakError(DataError):
    """Evaluation images are among those that the generator was trained on."""


class OutputInUseError(GanaugError, FileExistsError):
    """The output folder holds something else, or another process is writing to it."""


class DiskFullError(GanaugError, OSError):
    """Not enough free space for what is about to be written."""


class UnwritableError(GanaugError, OSError):
    """A file or folder cannot be written to."""


class OutOfMemoryError(GanaugError, MemoryError):
    """The memory of the machine or of its GPU does not suffice; the last good state is kept (exit code 5)."""

    exit_code = 5


class MissingPackageError(GanaugError, ImportError):
    """An optional package is not installed (exit code 4)."""

    exit_code = 4


class WeightsError(GanaugError, OSError):
    """Weights of a pretrained network are not on this machine and cannot be fetched (exit code 4)."""

    exit_code = 4


class TrackerError(GanaugError, RuntimeError):
    """A user's tracker of a fit fails; what was saved before is kept."""


class ExecutorError(GanaugError, RuntimeError):
    """An executor lost its workers; what was finished is kept."""


class HubError(GanaugError, OSError):
    """The Hugging Face Hub cannot be reached, or refuses (exit code 4)."""

    exit_code = 4


class DeviceError(GanaugError, RuntimeError):
    """The requested device is not available (exit code 4)."""

    exit_code = 4


class RankError(GanaugError, RuntimeError):
    """The processes of one fit were given different settings or data, or one of them has ended."""


class ArtefactError(GanaugError, ValueError):
    """A file of a run or generator folder is missing, altered, or not one that this version can read."""


class IncompatibleLoaderError(GanaugError, TypeError):
    """A DataLoader or data set that cannot be rebuilt with synthetic samples."""


class TranslatorError(GanaugError, TypeError):
    """The generator starts from an image, and is asked for images out of nothing; or the other way round."""


class NoVerdictError(GanaugError, RuntimeError):
    """`ratio="auto"` was asked of a run that has not been benchmarked."""


class HarmfulError(GanaugError, RuntimeError):
    """Synthetic images were asked of a run whose verdict is `harms`, without force."""


class FewImagesWarning(UserWarning):
    """Some classes have so few images that a generator learns little from them."""


class PseudoLabelsWarning(UserWarning):
    """No unlabelled image could be given a label surely enough, so that none is learned from."""


class UseWarning(UserWarning):
    """What "auto" serves rests on a use of synthetic images that cannot be applied here, or on a quick bench."""


class EnlargedWarning(UserWarning):
    """The real images are far larger than what the generator makes, and nothing measured at their size says that
    synthetic ones help."""


class NoEvidenceWarning(UserWarning):
    """Synthetic images were asked of a run whose verdict is `no evidence`."""


class WithheldWarning(UserWarning):
    """There are no synthetic images of classes that were asked for: a choice withholds them, the fit left them out, or
    nobody made them."""


class UnreadableWarning(UserWarning):
    """Images were left out of what is written, served or compared: they cannot be read, or links to them are not
    followed."""


class NumberingWarning(UserWarning):
    """Who reads a folder numbers its classes otherwise than the data of the fit do."""


class EpochWarning(UserWarning):
    """Nothing tells a mixed data set where an epoch ends, so that every epoch has the same synthetic images."""


class UnservedWarning(UserWarning):
    """A sampler asks for none of the synthetic images that were added behind the real ones."""


class SeenImagesWarning(UserWarning):
    """A few evaluation images are among those that the generator was trained on, or training images among those that
    were made elsewhere."""


class OtherPicturesWarning(UserWarning):
    """The pictures that a data set serves are not those that the generator learned, though the files are the same; or
    they differ from reading to reading, so that the two cannot be compared."""


class DivergedError(GanaugError, ArithmeticError):
    """A loss became infinite or not a number; the last good state is kept (exit code 5)."""

    exit_code = 5
