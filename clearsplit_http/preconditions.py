"""Preconditions: which version the caller has seen (RFC 9110 §13.1).

A change says with If-Match which version it is about, so that nobody overwrites what they have not
read; a read says with If-None-Match which one it has already.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clearsplit_http.refusals import BadHeader


@dataclass(frozen=True, slots=True)
class Tag:
    """What an ETag says: a thing's version; a settlement's, which never changes, and its revision.

    Other things have no revision: 0.
    """

    version: int
    revision: int = 0

    def __str__(self) -> str:
        return f'"{self.version}.{self.revision}"' if self.revision else f'"{self.version}"'


NEVER: Final = Tag(0)
"""A tag that nothing ever has: what a weak or foreign one stands for."""

_DIGITS_MAX: Final = 18
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")
_NUMBER = rf"[1-9][0-9]{{0,{_DIGITS_MAX - 1}}}"
_OURS = re.compile(rf'"(?P<version>{_NUMBER})(?:\.(?P<revision>{_NUMBER}))?"')


def read_if_match(lines: Sequence[str]) -> Tag | None:
    """The tag in the If-Match header; NEVER for one that is weak or not ours; None without.

    Raises BadHeader for several tags, for `*` and for what is no tag.
    """
    if not lines:
        return None
    if len(lines) > 1 or not re.fullmatch(_TAG, lines[0]):
        raise BadHeader('If-Match is one ETag as we gave it out, such as "3".')
    known = _OURS.fullmatch(lines[0])
    return Tag(int(known["version"]), int(known["revision"] or 0)) if known else NEVER


def read_if_none_match(lines: Sequence[str]) -> frozenset[str]:
    """The tags in the If-None-Match header, their weakness aside; `*` is a tag of its own.

    Raises BadHeader.
    """
    if not lines:
        return frozenset()
    line = ", ".join(lines)
    if line and line != "*" and not _TAGS.fullmatch(line):
        raise BadHeader("If-None-Match is a list of ETags as we gave them out.")
    return frozenset({"*"} if line == "*" else re.findall(r'"[^"]*"', line))


def matches(tags: frozenset[str], tag: Tag) -> bool:
    """Whether the caller has the version with this tag already."""
    return str(tag) in tags or "*" in tags
