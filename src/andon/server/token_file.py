"""The administrator's token in a file, for a first start."""

from __future__ import annotations

from pathlib import Path

from andon.errors import InputError
from andon.files import write_whole
from andon.store import Store

NAME = "administrator"


def ensure_token(store: Store, path: Path) -> bool:
    """See that the file holds a token that may do all, making both where there is no file; whether it was made.

    Only the owner may read a file that is made. The store keeps nothing but the token's hash.

    Raises:
        InputError: the file holds another thing, or cannot be read or written.
    """
    try:
        if path.exists():
            token = store.tokens.check(path.read_text(encoding="utf-8", errors="replace").strip())
            if token is None or "admin" not in token.scopes:
                raise InputError(
                    f"{path} holds no valid administrator's token of {store}; give the name of a new file, and one is "
                    "made."
                )
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        write_whole(path, f"{store.tokens.create(_free_name(store), ['admin'])}\n".encode())
        return True
    except OSError as error:
        raise InputError(f"{path} cannot be used ({error.strerror or error}); give another --token-file.") from None


def _free_name(store: Store) -> str:
    taken = {token.name for token in store.tokens.all()}
    names = [NAME, *(f"{NAME} {number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)
