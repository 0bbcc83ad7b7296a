"""Signing keys: Ed25519 (RFC 8032), in a folder of their own outside the database.

    signing.pem     the private key that signs, readable by its owner alone
    <kid>.pem       the public key of every key that ever signed: retired ones stay

A key's id (`kid`) is the beginning of the SHA-256 of its public key. Whoever only checks needs the
public keys and no more.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from clearsplit_core.errors import Conflict, Invalid

KID_DIGITS: Final = 16
PRIVATE: Final = "signing.pem"


class BadKey(Invalid, code="bad-key"):
    """This file is no Ed25519 key in PEM."""


class KeyMissing(Conflict, code="key-missing"):
    """This key is not in the folder of keys."""


class BadSignature(Conflict, code="bad-signature"):
    """The signature is not that of the key that it names: what is signed was changed."""


def make(folder: Path) -> str:
    """A new key signs from now on; the public key of the one before stays. Returns its kid."""
    key = Ed25519PrivateKey.generate()
    kid = _kid(key.public_key())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write(folder / f"{kid}.pem", public, mode=0o644)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(folder / PRIVATE, private, mode=0o600)
    return kid


def signing_key(folder: Path) -> tuple[str, Ed25519PrivateKey]:
    """The key that signs, and its kid. Raises KeyMissing, BadKey."""
    content = _content(folder / PRIVATE)
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise BadKey from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey
    return _kid(key.public_key()), key


def require_signed(folder: Path, kid: str, content: bytes, signature: bytes) -> None:
    """`content` was signed by the key `kid`. Raises KeyMissing, BadKey, BadSignature."""
    try:
        key = load_pem_public_key(_content(folder / f"{_safe(kid)}.pem"))
    except ValueError as error:
        raise BadKey from error
    if not isinstance(key, Ed25519PublicKey) or _kid(key) != kid:
        raise BadKey
    try:
        key.verify(signature, content)
    except InvalidSignature as error:
        raise BadSignature from error


def _kid(key: Ed25519PublicKey) -> str:
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:KID_DIGITS]


def _safe(kid: str) -> str:
    """A kid that came in a file, as the name of a file."""
    if len(kid) != KID_DIGITS or not set(kid) <= set("0123456789abcdef"):
        raise KeyMissing(f"There is no key {kid!r}.")
    return kid


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyMissing(f"{path}: {error.strerror}.") from error


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(path)
