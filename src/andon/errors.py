"""Every error a user can cause.

AndonError
├── InputError
│   ├── ImageError           a photo that cannot be read or used
│   ├── DatasetError         a folder that holds no usable data set
│   ├── ConfigError          a recipe or a setting that is wrong
│   ├── ModelError           a model file that cannot be read or written
│   ├── WeightsError         backbone weights that are missing or do not fit
│   └── NotFoundError        what was named is not in the database
├── TrainingError            a training by gradient gave no usable model
├── NotFittedError           a detector was asked to score before it was fitted
├── NotCalibratedError       a verdict was asked for without held-out OK photos
├── StoreError               the database cannot be reached, read or written
└── MissingDependencyError   an optional package is not installed

Each message is one sentence that says what was wrong, what was expected and what to do. The command line prints it
without a traceback and exits with code 2.
"""


class AndonError(Exception):
    """Base of every error that Andon raises on purpose."""


class InputError(AndonError):
    """Something that the user gave is wrong."""


class ImageError(InputError):
    """A photo cannot be read or used."""


class DatasetError(InputError):
    """A folder holds no usable data set."""


class ConfigError(InputError):
    """A recipe or a setting is wrong."""


class ModelError(InputError):
    """A model file cannot be read or written."""


class WeightsError(InputError):
    """Backbone weights are missing or do not fit."""


class NotFoundError(InputError):
    """What was named is not in the database."""


class TrainingError(AndonError):
    """A training by gradient gave no usable model."""


class NotFittedError(AndonError):
    """A detector was asked to score before it was fitted."""


class NotCalibratedError(AndonError):
    """A verdict was asked for without held-out OK photos."""


class StoreError(AndonError):
    """The database cannot be reached, read or written."""


class MissingDependencyError(AndonError):
    """An optional package is not installed."""
