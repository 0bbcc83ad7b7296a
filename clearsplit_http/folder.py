"""The data folder of a server without set-up: its secrets, made once, readable for it alone."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from clearsplit_core.errors import BadSettings

SECRET_BYTES: Final = 48


def kept_secret(folder: Path, name: str, *, make: bool = True) -> str:
    """The secret of that name in `folder`: random, always the same, mode 0600.

    Raises BadSettings when the folder cannot be used, or lacks the secret and none is to be made.
    """
    path = folder / name
    if not make and not path.exists():
        raise BadSettings(
            f"No server keeps a {name} in {folder}: choose the server's folder with --data-dir, or"
            " set the secrets that it has."
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(SECRET_BYTES))
        return path.read_text(encoding="ascii")
    except OSError as error:
        where = error.filename or folder
        raise BadSettings(
            f"{where}: {error.strerror}. Choose a folder with --data-dir, or set DATABASE_URL."
        ) from error


def _write_once(path: Path, text: str) -> None:
    """The file is there with its whole content, ours or that of whoever was first."""
    with NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as draft:  # mode 0600
        draft.write(text)
        draft.flush()
        os.fsync(draft.fileno())
        with suppress(FileExistsError):
            os.link(draft.name, path)
