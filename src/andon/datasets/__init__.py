"""Data sets: one file is one layout, found by its file name; and what keeps their figures honest.

A layout is a module with `LOOKS_LIKE` (what it expects, for error messages), `SPECIFICITY` (the layout that demands
most is asked first whether it recognises a folder), `recognises` and `read`.
"""

from andon.datasets._by_hand import from_folders
from andon.datasets._dataset import PURPOSES, Dataset, Purpose, Reading, purpose
from andon.datasets._duplicates import Duplicates, Group, Twins, duplicates_of, find_duplicates, twins_among
from andon.datasets._exclude import excluding
from andon.datasets._fingerprints import Fingerprint, fingerprints
from andon.datasets._labelled import ng_to_learn_from
from andon.datasets._layouts import Layout, names
from andon.datasets._leaks import check_leaks, count_of, samples_to_evaluate
from andon.datasets._masks import read_mask
from andon.datasets._reading import photos_of_one_class, read
from andon.datasets._sessions import sessions_of, with_sessions
from andon.datasets._sources import SOURCES, Source
from andon.datasets._splits import FOLDS, Fold, Partition, count_different, deal, split
from andon.datasets._template import check_empty, create
from andon.datasets._tree import EXCLUDE_FILE, PhotoTree
from andon.datasets._verify import Finding, Verification, verify
from andon.datasets._words import ClassNames

__all__ = [
    "EXCLUDE_FILE",
    "FOLDS",
    "PURPOSES",
    "SOURCES",
    "ClassNames",
    "Dataset",
    "Duplicates",
    "Finding",
    "Fingerprint",
    "Fold",
    "Group",
    "Layout",
    "Partition",
    "PhotoTree",
    "Purpose",
    "Reading",
    "Source",
    "Twins",
    "Verification",
    "check_empty",
    "check_leaks",
    "count_different",
    "count_of",
    "create",
    "deal",
    "duplicates_of",
    "excluding",
    "find_duplicates",
    "fingerprints",
    "from_folders",
    "names",
    "ng_to_learn_from",
    "photos_of_one_class",
    "purpose",
    "read",
    "read_mask",
    "samples_to_evaluate",
    "sessions_of",
    "split",
    "twins_among",
    "verify",
    "with_sessions",
]
