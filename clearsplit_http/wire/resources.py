"""What all resources share on the wire: their head, their pages, their ids and texts."""

import secrets
from typing import Annotated, ClassVar, Final, Generic, Self, TypeVar
from uuid import UUID

import uuid_utils.compat
from msgspec import UNSET, Meta, Struct, UnsetType

from clearsplit_core.journal import Head
from clearsplit_core.keep import KEEP, Change
from clearsplit_core.plain import Plain
from clearsplit_core.records import AMOUNT_MINOR_MAX
from clearsplit_core.text import SALT_BYTES, Text
from clearsplit_http.preconditions import Tag
from clearsplit_http.refusals import BadId

T = TypeVar("T")

CHOSEN_VERSIONS: Final = (4, 7)
"""The versions of UUID that a client may choose as an id."""

Minor = Annotated[
    int,
    Meta(
        ge=-AMOUNT_MINOR_MAX,
        le=AMOUNT_MINOR_MAX,
        description="A whole number of the currency's minor units: 1234 is 12.34 EUR.",
    ),
]
Currency = Annotated[
    str,
    Meta(
        description="An ISO 4217 code.",
        extra_json_schema={"pattern": "^[A-Z]{3}$"},
    ),
]
ChosenId = Annotated[
    UUID,
    Meta(
        description="A UUID of version 4 or 7 that you choose; we choose one without it.",
        extra_json_schema={
            "pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[47][0-9a-fA-F]{3}"
            "-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
        },
    ),
]


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client sends."""

    @classmethod
    def pointer(cls, field: str, sent: Plain) -> str:  # noqa: ARG003 (for those that look)
        """How the core's JSON pointer `field` is called in such a body, of which `sent` is one."""
        return field


class Extras(Body, frozen=True, kw_only=True):
    """What may be said beside the address; the body may be left out."""


class Nothing(Extras, frozen=True, kw_only=True):
    """No body is needed."""


class Journal(Struct, frozen=True):
    """The end of the group's journal: the number and the SHA-256 of its last entry. Keep it, and
    you can tell later whether anything before it was changed.
    """

    seq: int
    head: str

    @classmethod
    def of(cls, head: Head) -> Self:
        return cls(head.seq, head.hash)


class Resource(Struct, frozen=True, kw_only=True):
    """A thing with an id and a version, which its ETag repeats. `journal` comes with a change."""

    revalidated: ClassVar[bool] = True
    """Whether it is the same as long as its ETag is, so that If-None-Match means something."""

    id: UUID
    version: int
    journal: Journal | UnsetType = UNSET

    @property
    def tag(self) -> Tag:
        return Tag(self.version)


class Page(Struct, Generic[T], frozen=True):
    """A part of a list. `next_cursor` leads to the rest, null at the end."""

    items: list[T]
    next_cursor: str | None


def new_id(chosen: UUID | None) -> UUID:
    """The id that the client chose, or a new one. Raises BadId."""
    if chosen is None:
        return uuid_utils.compat.uuid7()
    if chosen.version not in CHOSEN_VERSIONS:
        raise BadId(field="/id")
    return chosen


def kept_or(sent: T | UnsetType) -> Change[T]:
    """What was sent; what was left out stays as it is."""
    return KEEP if isinstance(sent, UnsetType) else sent


def new_text(words: str) -> Text:
    """`words` with a salt of their own."""
    return Text.of(words, secrets.token_bytes(SALT_BYTES))


def new_text_or_none(words: str | None) -> Text | None:
    return None if words is None else new_text(words)


def words_or_none(text: Text | None) -> str | None:
    """What a text says, None also once it was erased."""
    return None if text is None else text.words
