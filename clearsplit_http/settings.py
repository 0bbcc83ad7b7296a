"""Settings: the environment, read once and checked whole.

Everything that is wrong is said in one message, so that nobody starts a server five times to learn
five things. A secret NAME may instead stand in a file, named by NAME_FILE. No message repeats a
value: it may be a secret in the wrong place. docs/deployment.md has the table, and a test holds it
against this module.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from clearsplit_core.errors import BadSettings, Refusal
from clearsplit_core.limits import Quota
from clearsplit_core.ports import StoreOptions
from clearsplit_http.addresses import Networks, read_networks
from clearsplit_http.logs import LEVELS
from clearsplit_http.stores import require_readable

JWT_SECRET_BYTES_MIN: Final = 32
JWT_ALGORITHMS: Final = ("HS256", "HS384", "HS512")
LOCAL: Final = "local"
ENVIRONMENTS: Final = (LOCAL, "staging", "production")
SECRETS: Final = (
    "DATABASE_URL",
    "JWT_SECRET",
    "JWT_SECRET_PREVIOUS",
    "PASSWORD_PEPPER",
    "PASSWORD_PEPPER_PREVIOUS",
)
"""Settings that may stand in a file."""
SECRET_BYTES_MAX: Final = 65_536
"""Bytes that the file of a secret may have."""
FLAGS: Final[Mapping[str, str]] = MappingProxyType(
    {"UVICORN_HOST": "--host", "UVICORN_PORT": "--port", "UVICORN_WORKERS": "--workers"}
)
"""Settings that a flag of `clearsplit serve` beats."""

DIGITS_MAX: Final = 9
SIGNUPS: Final = Quota("signup", 10, 3600)
LOGINS: Final = Quota("login", 10, 300)
REFRESHES: Final = Quota("refresh", 60, 60)
QUOTA_S_MAX: Final = 86_400
"""Seconds that the window of a limit may have: a day."""
_QUOTA = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?")
_MAKE_ONE: Final = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may decide. Lengths in characters, times in the unit that the name says."""

    store_url: str = field(repr=False)
    store: StoreOptions = field(default_factory=StoreOptions)
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    jwt_secret: bytes = field(repr=False)
    jwt_secret_previous: bytes = field(default=b"", repr=False)
    jwt_algorithm: str = "HS256"
    access_token_minutes: int = 15
    refresh_token_days: int = 30
    password_length_min: int = 15
    password_pepper: bytes = field(default=b"", repr=False)
    password_pepper_previous: bytes = field(default=b"", repr=False)
    bcrypt_cost: int = 12
    signup_quota: Quota | None = SIGNUPS
    login_quota: Quota | None = LOGINS
    refresh_quota: Quota | None = REFRESHES
    writes_quota: Quota | None = None
    trusted_proxies: Networks = ()
    cors_origins: tuple[str, ...] = ()
    drain_s: int = 0
    log_level: str = "info"
    env: str = LOCAL


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that `environment` makes. Raises BadSettings, which names all that is wrong."""
    reader = _Reader(environment)
    options = StoreOptions(
        connections_min=reader.integer("DATABASE_POOL_MIN", 1, 1, 100),
        connections_max=reader.integer("DATABASE_POOL_MAX", 5, 1, 100),
        wait_s=reader.integer("DATABASE_WAIT_S", 5, 1, 60),
        connect_s=reader.integer("DATABASE_CONNECT_S", 10, 2, 60),
        statement_s=reader.integer("DATABASE_STATEMENT_S", 30, 0, 600),
        prepare=reader.yes("DATABASE_PREPARE", default=True),
        unsafe=reader.yes("ALLOW_UNSAFE_DATABASE", default=False),
    )
    settings = Settings(
        store_url=reader.store_url(options),
        store=options,
        host=reader.text("UVICORN_HOST", "127.0.0.1"),
        port=reader.integer("UVICORN_PORT", 8000, 0, 65_535),
        workers=reader.integer("UVICORN_WORKERS", 1, 1, 64),
        jwt_secret=reader.jwt_secret("JWT_SECRET"),
        jwt_secret_previous=reader.jwt_secret("JWT_SECRET_PREVIOUS", needed=False),
        jwt_algorithm=reader.one_of("JWT_ALGORITHM", JWT_ALGORITHMS),
        access_token_minutes=reader.integer("ACCESS_TOKEN_EXPIRE_MINUTES", 15, 1, 60),
        refresh_token_days=reader.integer("REFRESH_TOKEN_EXPIRE_DAYS", 30, 1, 365),
        password_length_min=reader.integer("PASSWORD_MIN_LENGTH", 15, 8, 128),
        password_pepper=reader.text("PASSWORD_PEPPER", "").encode(),
        password_pepper_previous=reader.text("PASSWORD_PEPPER_PREVIOUS", "").encode(),
        bcrypt_cost=reader.integer("BCRYPT_COST", 12, 4, 16),
        signup_quota=reader.quota("RATE_LIMIT_SIGNUP", SIGNUPS),
        login_quota=reader.quota("RATE_LIMIT_LOGIN", LOGINS),
        refresh_quota=reader.quota("RATE_LIMIT_REFRESH", REFRESHES),
        writes_quota=reader.quota("RATE_LIMIT_WRITES", None),
        trusted_proxies=reader.networks("TRUSTED_PROXIES"),
        cors_origins=reader.origins("CORS_ORIGINS"),
        drain_s=reader.integer("DRAIN_S", 0, 0, 600),
        log_level=reader.one_of("LOG_LEVEL", LEVELS),
        env=reader.one_of("ENV", ENVIRONMENTS),
    )
    complaints = [*reader.complaints, *_at_odds(settings)]
    if complaints:
        raise BadSettings("\n  ".join(["These settings are wrong:", *complaints]))
    return settings


def _at_odds(settings: Settings) -> Iterator[str]:
    """What is wrong with settings that are each right."""
    if settings.store.connections_min > settings.store.connections_max:
        yield "DATABASE_POOL_MIN is larger than DATABASE_POOL_MAX."
    if settings.workers > 1 and settings.store_url.startswith("memory:"):
        yield "UVICORN_WORKERS is 1 with memory:, which each process would have to itself."


class _Reader:
    """Reads settings one by one and remembers each complaint."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.complaints: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        found = self._found(name)
        if not found and default is None:
            self.complaints.append(f"{name} is not set.")
        return found or default or ""

    def store_url(self, options: StoreOptions) -> str:
        url = self.text("DATABASE_URL")
        try:
            if url:
                require_readable(url, options)
        except Refusal as refusal:
            self.complaints.append(f"DATABASE_URL is wrong: {refusal.message}")
        return url

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        text = self._found(name) or str(default)
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else -1
        if not least <= value <= most:
            called = f"{name} ({FLAGS[name]})" if name in FLAGS else name
            self.complaints.append(f"{called} is a whole number from {least} to {most}.")
        return value

    def yes(self, name: str, *, default: bool) -> bool:
        text = self._found(name) or str(int(default))
        if text not in ("0", "1"):
            self.complaints.append(f"{name} is 1 for yes or 0 for no.")
        return text == "1"

    def one_of(self, name: str, known: tuple[str, ...]) -> str:
        text = self._found(name) or known[0]
        if text not in known:
            self.complaints.append(f"{name} is {', '.join(known[:-1])} or {known[-1]}.")
        return text

    def jwt_secret(self, name: str, *, needed: bool = True) -> bytes:
        secret = self._found(name).encode()
        if (needed or secret) and len(secret) < JWT_SECRET_BYTES_MIN:
            self.complaints.append(
                f"{name} needs {JWT_SECRET_BYTES_MIN} bytes or more; make one: {_MAKE_ONE}"
            )
        return secret

    def quota(self, name: str, default: Quota | None) -> Quota | None:
        """COUNT/SECONDS, or None for 0."""
        text = self._found(name)
        if text in ("", "0"):
            return None if text else default
        found = _QUOTA.fullmatch(text)
        count, seconds = map(int, found.groups()) if found else (0, 0)
        if not count or not 1 <= seconds <= QUOTA_S_MAX:
            self.complaints.append(
                f"{name} is a count and seconds such as 10/300, at most a day, or 0 for no limit."
            )
        return Quota(name.removeprefix("RATE_LIMIT_").lower(), count, seconds)

    def networks(self, name: str) -> Networks:
        try:
            return read_networks(self._found(name))
        except ValueError:
            self.complaints.append(
                f"{name} is addresses and networks, separated by commas: 10.0.0.0/8,::1."
            )
            return ()

    def origins(self, name: str) -> tuple[str, ...]:
        origins = tuple(one.strip() for one in self._found(name).split(",") if one.strip())
        if not all(map(_ORIGIN.fullmatch, origins)):
            self.complaints.append(
                f"{name} is origins, separated by commas: https://app.example.org."
            )
        return origins

    def _found(self, name: str) -> str:
        """The setting as it stands in the environment or, for a secret, in the file named there."""
        given = self._environment.get(name, "").strip()
        if not _is_utf8(given):
            self.complaints.append(f"{name} is not text in UTF-8.")
            given = given.encode(errors="replace").decode()
        file = self._environment.get(f"{name}_FILE", "") if name in SECRETS else ""
        if given and file:
            self.complaints.append(f"Both {name} and {name}_FILE are set; keep one.")
        return given if given or not file else self._content(name, Path(file))

    def _content(self, name: str, file: Path) -> str:
        """What the file says; line ends and spaces around it are an editor's, not the secret's."""
        try:
            with file.open("rb") as opened:
                content = opened.read(SECRET_BYTES_MAX + 1).decode().strip()
        except (OSError, UnicodeDecodeError):
            self.complaints.append(f"{name}_FILE names no file that can be read as text.")
            return ""
        if not content or len(content) > SECRET_BYTES_MAX:
            self.complaints.append(f"{name}_FILE names a file that is empty or far too long.")
        return content


def _is_utf8(text: str) -> bool:
    """Python keeps bytes that are none as lone surrogates, which nothing can encode (PEP 383)."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
