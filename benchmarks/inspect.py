"""`python benchmarks/inspect.py` runs inspection.py; see there.

Python's own module `inspect` has this name too, and a script finds the files beside it first: whoever imports `inspect`
from here is handed Python's.
"""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib imports too much

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as `import andon` does, which comes too late behind torch
sys.path.remove(FOLDER)
if __name__ == "__main__":
    import runpy

    sys.path.append(FOLDER)
    runpy.run_path(f"{FOLDER}/inspection.py", run_name="__main__")
else:
    del sys.modules["inspect"]
    import inspect  # noqa: F401

    sys.path.insert(0, FOLDER)
