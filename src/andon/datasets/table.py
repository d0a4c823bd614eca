"""Photos with a table of labels beside them or one folder above: `filename,label` and all that people make of it.

OK and NG stand in it as 0 and 1, as words, as kinds of defects beside "good", or as probabilities with a limit that
the user gives. Folders train/, valid/ and test/, or a column that says so, make the splits.
"""

from __future__ import annotations

from andon.datasets._dataset import Reading
from andon.datasets._label_tables import found_tables
from andon.datasets._labels import labelled
from andon.datasets._tree import PhotoTree

LOOKS_LIKE = "photos and a table filename,label beside them or one folder above"
SPECIFICITY = 4


def recognises(tree: PhotoTree) -> bool:
    """Whether a table names the photos and says which are OK."""
    return bool(found_tables(tree).labels)


def read(tree: PhotoTree) -> Reading:
    """The photos with their labels; a photo that no table names is what its folder says, or unlabelled.

    Raises:
        DatasetError: a table cannot be read or understood, or contradicts the folders; or a name that was given
            matches nothing.
    """
    found = found_tables(tree)
    tree.names.check_used([*found.seen, *tree.folder_names], f"label of {tree.root}")
    return Reading(labelled(tree, found.labels), tuple(found.notes))
