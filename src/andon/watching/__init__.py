"""Folders that photos come into: each photo is inspected once, whatever happens to the process or the share.

Polling is the truth: shares send no events, and one that returns reports every file as new. Needs the extra `serve`.
"""

from andon.watching.afterwards import Afterwards, afterwards
from andon.watching.folder import Folder, FoundFile
from andon.watching.inspector import Arrived, Inspector, PipelineInspector, Written
from andon.watching.watcher import Watcher

__all__ = [
    "Afterwards",
    "Arrived",
    "Folder",
    "FoundFile",
    "Inspector",
    "PipelineInspector",
    "Watcher",
    "Written",
    "afterwards",
]
