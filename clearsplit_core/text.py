"""Personal text: what people wrote or are called, kept so that it can be deleted for good.

The journal's hash chain never covers a text itself, only its **commitment**: a SHA-256 over a
secret random salt and the text. Deleting the text and its salt leaves the commitment behind, which
then says nothing about the words (32 random bytes cannot be guessed), and the chain still verifies.
A changed text no longer fits its commitment and is refused.

This module draws no salts: they arrive with the request (`Text.of(words, salt)`).
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from clearsplit_core.errors import BadText, JournalBroken

SALT_BYTES: Final = 32
TEXT_MAX: Final = 2_000
"""Characters that one text may have; a request may allow fewer."""

_DOMAIN: Final = b"clearsplit/text/1\0"
_CONTROLS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, lone surrogates, line and paragraph separators."""
_BIDI_CONTROLS: Final = frozenset("\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Overrides, embeddings and isolates, which turn letters around (Unicode Technical Report 36,
section 2.5), and the Arabic letter mark: after it digits are Arabic numbers (Unicode Standard Annex
9, rule W2), and 10-20 is shown as 20-10. The marks U+200E and U+200F stay: they turn no letters and
no number around, and Arabic and Hebrew need them beside punctuation."""
_UNSEEN: Final = re.compile(
    "[\u180e\u2060\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
"""What a title or a name could differ in without anybody seeing it: separators without width,
annotation marks, tags and noncharacters. Joiners stay: emoji and Persian need them."""
_FLAGS: Final = re.compile(
    "\U0001f3f4(?:"
    + "|".join(
        "".join(chr(0xE0000 + ord(letter)) for letter in region)
        for region in ("gbeng", "gbsct", "gbwls")
    )
    + ")\U000e007f"
)
"""England, Scotland and Wales: the flags that are written with tags (Unicode Technical
Standard 51)."""
_LAYOUT: Final = frozenset("\n\t")
_INKLESS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Hangul fillers and the empty Braille cell: letters and a symbol by category, blank on paper."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text, its salt and the commitment to both; or, once erased, the commitment alone.

    `words` and `salt` are both there or both None. `commitment` is 64 lower-case hex digits.
    Raises JournalBroken when the words do not fit the commitment.
    """

    words: str | None
    salt: bytes | None
    commitment: str

    def __post_init__(self) -> None:
        if (self.words is None) != (self.salt is None):
            raise JournalBroken("A text has lost its salt, or a salt its text.")
        if self.words is not None and self.salt is not None:
            self._require_fit(self.words, self.salt)

    @classmethod
    def of(cls, words: str, salt: bytes) -> "Text":
        """`words`, committed to with `salt`, 32 bytes that nobody else may know or reuse."""
        return cls(words, salt, _commitment(words, salt))

    @classmethod
    def erased(cls, commitment: str) -> "Text":
        """What is left of a text that was deleted."""
        return cls(None, None, commitment)

    def _require_fit(self, words: str, salt: bytes) -> None:
        if self.commitment != _commitment(words, salt):
            raise JournalBroken("A text was changed after it was written.")


def _commitment(words: str, salt: bytes) -> str:
    assert len(salt) == SALT_BYTES, "a salt is 32 bytes"
    # A lone surrogate has bytes too, so that `require_readable` is the one to refuse it.
    return hashlib.sha256(_DOMAIN + salt + words.encode("utf-8", "surrogatepass")).hexdigest()


def require_readable(
    words: str, *, field: str, characters_max: int = TEXT_MAX, lines: bool = True
) -> None:
    """`words` can be shown: something visible, not too long, no controls that hide or reorder text.

    Raises BadText. Line feeds and tabs may stand in it where `lines`; other control characters,
    unpaired surrogates and bidirectional controls may not (Unicode Technical Report 36), and in one
    line nothing that two texts could differ in unseen.
    """
    if len(words) > characters_max:
        raise BadText(f"This text is longer than {characters_max} characters.", field=field)
    if words.isascii() and words.isprintable() and not words.isspace() and words:
        return  # most are: there is nothing to look up for each of their characters
    if any(
        _is_hidden_control(character) for character in words if not (lines and character in _LAYOUT)
    ):
        raise BadText("This text has control characters; take them out.", field=field)
    if not lines and _UNSEEN.search(_FLAGS.sub("", words)):
        raise BadText("This text has characters that nobody sees; take them out.", field=field)
    if not any(map(_is_visible, words)):
        raise BadText("This text is empty; write something.", field=field)


def _is_hidden_control(character: str) -> bool:
    return unicodedata.category(character) in _CONTROLS or character in _BIDI_CONTROLS


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZM" and character not in _INKLESS
