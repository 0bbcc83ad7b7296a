"""What clearsplit_http adds to the command line: `clearsplit serve`.

A command is a function that gives a parser its arguments and returns what runs them; the number
that this returns is the exit status: 0 fine, 1 refused or failed, 2 wrong usage.

Here alone the environment is read; serving.py and workers.py run what comes of it.
"""

import argparse
import asyncio
import errno
import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

import uvloop

from clearsplit_core.errors import BadSettings, Refusal
from clearsplit_http import resetting
from clearsplit_http.folder import kept_secret
from clearsplit_http.logs import write_logs
from clearsplit_http.serving import now, serve_alone
from clearsplit_http.settings import LOCAL, read_settings
from clearsplit_http.workers import serve_together

BACKLOG: Final = 2_048
"""Connections that may wait to be accepted."""


def serve(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """Serve the API; without DATABASE_URL, on a private database in a folder of its own."""
    parser.add_argument("--host", help="the address to listen on (UVICORN_HOST)")
    parser.add_argument("--port", help="the port to listen on (UVICORN_PORT)")
    parser.add_argument("--workers", help="processes that serve (UVICORN_WORKERS)")
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="where the private database is kept"
    )
    return _serve


def _serve(arguments: argparse.Namespace) -> int:
    """The server has run and was asked to stop (0), or could not start (1)."""
    write_logs()
    try:
        settings = read_settings(_environment(arguments.data_dir, _flags(arguments)))
        write_logs(settings.log_level)
        with closing(_listening(settings.host, settings.port)) as listener:
            if settings.workers == 1:
                uvloop.run(serve_alone(settings, listener))
            else:
                serve_together(settings, listener)
    except (Refusal, OSError) as error:
        print(f"clearsplit serve: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0  # stopped while it was starting
    return 0


def reset_password(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """Give an account a new password and end all its access; prints the password once."""
    parser.add_argument("email", help="the account's e-mail address")
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="where the private database is kept"
    )
    return _reset_password


def _reset_password(arguments: argparse.Namespace) -> int:
    """The password has been changed and told (0), or there was no such account (1)."""
    try:
        settings = read_settings(_environment(arguments.data_dir, {}, make=False))
        password = uvloop.run(resetting.reset_password(settings, now, arguments.email))
    except (Refusal, OSError) as error:
        print(f"clearsplit reset-password: {error}", file=sys.stderr)
        return 1
    print(f"The new password is {password}\nAll access is over; ask for another to be chosen.")
    return 0


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────


def _flags(arguments: argparse.Namespace) -> Mapping[str, str]:
    """The flags that were given, under the names of their variables."""
    flags = {
        "UVICORN_HOST": arguments.host,
        "UVICORN_PORT": arguments.port,
        "UVICORN_WORKERS": arguments.workers,
    }
    return {name: text for name, text in flags.items() if text is not None}


def _environment(
    data_dir: Path | None, flags: Mapping[str, str], *, make: bool = True
) -> Mapping[str, str]:
    """The environment, with flags laid over it; a private database where it names none.

    Production and staging bring none: there a forgotten DATABASE_URL must not go unnoticed.
    Secrets that the folder lacks are made, or, without `make`, refused. Raises BadSettings.
    """
    given = {**os.environ, **flags}
    named = any(given.get(name) for name in ("DATABASE_URL", "DATABASE_URL_FILE"))
    if data_dir is None and (named or (given.get("ENV") or LOCAL) != LOCAL):
        return given
    folder = (data_dir or _default_folder()).expanduser().resolve()
    kept = {"JWT_SECRET": "jwt-secret", "PASSWORD_PEPPER": "password-pepper"}
    for name, file in kept.items():
        if not given.get(name) and not given.get(f"{name}_FILE"):
            given[name] = kept_secret(folder, file, make=make)
    given.pop("DATABASE_URL_FILE", None)
    return given | {"DATABASE_URL": f"embedded://{quote(str(folder))}"}


def _default_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("clearsplit", appauthor=False)


def _listening(host: str, port: int) -> socket.socket:
    """A socket at that address, taken before anything is started. Raises BadSettings."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        reason = "another program listens there" if in_use else str(error.strerror or error)
        raise BadSettings(
            f"Cannot listen on {host} port {port}: {reason}; choose another with --host, --port."
        ) from error
    return listener
