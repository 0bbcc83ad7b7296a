"""Settings: the environment, read once and checked whole.

Everything that is wrong is said in one message, so that nobody starts a server five times to learn
five things. A secret NAME may instead stand in a file, named by NAME_FILE. No message repeats a
value: it may be a secret in the wrong place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clearsplit_core.errors import BadSettings

JWT_SECRET_BYTES_MIN: Final = 32
JWT_ALGORITHMS: Final = ("HS256", "HS384", "HS512")
LOCAL: Final = "local"
ENVIRONMENTS: Final = (LOCAL, "staging", "production")
SECRETS: Final = ("DATABASE_URL", "JWT_SECRET", "PASSWORD_PEPPER")
"""Settings that may stand in a file."""

DIGITS_MAX: Final = 9
_MAKE_ONE: Final = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may decide. Lengths in characters, times in the unit that the name says."""

    store_url: str = field(repr=False)
    jwt_secret: bytes = field(repr=False)
    jwt_algorithm: str = "HS256"
    access_token_minutes: int = 15
    refresh_token_days: int = 30
    password_length_min: int = 15
    password_pepper: bytes = field(default=b"", repr=False)
    bcrypt_cost: int = 12
    drain_s: int = 0
    env: str = LOCAL


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that `environment` makes. Raises BadSettings, which names all that is wrong."""
    reader = _Reader(environment)
    settings = Settings(
        store_url=reader.text("DATABASE_URL"),
        jwt_secret=reader.jwt_secret(),
        jwt_algorithm=reader.one_of("JWT_ALGORITHM", JWT_ALGORITHMS),
        access_token_minutes=reader.integer("ACCESS_TOKEN_EXPIRE_MINUTES", 15, 1, 60),
        refresh_token_days=reader.integer("REFRESH_TOKEN_EXPIRE_DAYS", 30, 1, 365),
        password_length_min=reader.integer("PASSWORD_MIN_LENGTH", 15, 8, 128),
        password_pepper=reader.text("PASSWORD_PEPPER", "").encode(),
        bcrypt_cost=reader.integer("BCRYPT_COST", 12, 4, 16),
        drain_s=reader.integer("DRAIN_S", 0, 0, 600),
        env=reader.one_of("ENV", ENVIRONMENTS),
    )
    if reader.complaints:
        raise BadSettings(" ".join(reader.complaints))
    return settings


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

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        text = self._found(name) or str(default)
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else -1
        if not least <= value <= most:
            self.complaints.append(f"{name} is a whole number from {least} to {most}.")
        return value

    def one_of(self, name: str, known: tuple[str, ...]) -> str:
        text = self._found(name) or known[0]
        if text not in known:
            self.complaints.append(f"{name} is {', '.join(known[:-1])} or {known[-1]}.")
        return text

    def jwt_secret(self) -> bytes:
        secret = self._found("JWT_SECRET").encode()
        if len(secret) < JWT_SECRET_BYTES_MIN:
            self.complaints.append(
                f"JWT_SECRET needs {JWT_SECRET_BYTES_MIN} bytes or more; make one: {_MAKE_ONE}"
            )
        return secret

    def _found(self, name: str) -> str:
        """The setting as it stands in the environment or, for a secret, in the file named there."""
        given = self._environment.get(name, "").strip()
        file = self._environment.get(f"{name}_FILE", "") if name in SECRETS else ""
        if given and file:
            self.complaints.append(f"Both {name} and {name}_FILE are set; keep one.")
        return given if given or not file else self._content(name, Path(file))

    def _content(self, name: str, file: Path) -> str:
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            self.complaints.append(f"{name}_FILE names no file that can be read as text.")
            return ""
