"""Personal text: its commitment outlives it and says nothing; what cannot be shown is refused."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearsplit_core.errors import BadText, JournalBroken
from clearsplit_core.text import SALT_BYTES, TEXT_MAX, Text, require_readable

SALT = bytes(range(32))
words = st.text(max_size=50)
salts = st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES)

# ── Commitments ──────────────────────────────────────────────────────────────────────────────────


@given(words, salts)
def test_a_text_fits_its_own_commitment(said: str, salt: bytes) -> None:
    text = Text.of(said, salt)
    assert Text(said, salt, text.commitment) == text


@given(words, words, salts)
def test_changed_words_are_refused(said: str, changed: str, salt: bytes) -> None:
    commitment = Text.of(said + "!", salt).commitment
    with pytest.raises(JournalBroken, match="changed after it was written"):
        Text(said + "?" + changed, salt, commitment)


@given(words, st.lists(salts, min_size=2, max_size=2, unique=True))
def test_another_salt_is_refused(said: str, two: list[bytes]) -> None:
    with pytest.raises(JournalBroken):
        Text(said, two[1], Text.of(said, two[0]).commitment)


@given(words, salts)
def test_an_erased_text_leaves_its_commitment_and_nothing_else(said: str, salt: bytes) -> None:
    erased = Text.erased(Text.of(said, salt).commitment)
    assert (erased.words, erased.salt) == (None, None)
    assert erased.commitment == Text.of(said, salt).commitment


def test_a_text_and_its_salt_go_together() -> None:
    commitment = Text.of("Lunch", SALT).commitment
    with pytest.raises(JournalBroken, match="lost its salt"):
        Text("Lunch", None, commitment)
    with pytest.raises(JournalBroken, match="lost its salt"):
        Text(None, SALT, commitment)


def test_the_commitment_is_the_same_for_ever() -> None:
    # printf 'clearsplit/text/1\0' + the 32 bytes 00 … 1f + the words in UTF-8, through sha256sum
    assert Text.of("Dinner at Łucja's", SALT).commitment == (
        "f1c667ad7d44b25d4307986bda37386d78b7a03dcc9e92c26b32a5e7c919382f"
    )


def test_a_text_cannot_be_changed() -> None:
    text = Text.of("Lunch", SALT)
    with pytest.raises(FrozenInstanceError):
        text.words = "Dinner"  # type: ignore[misc]  # that it may not is the claim


@pytest.mark.parametrize("salt", [b"", SALT[:-1], SALT + b"\0"])
def test_a_salt_has_32_bytes(salt: bytes) -> None:
    with pytest.raises(AssertionError):
        Text.of("Lunch", salt)


# ── What can be shown ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "shown",
    [
        "x",
        "Łódź",
        "家族の夕食",
        "عشاء",
        "ארוחה",
        "हिन्दी",
        "e\u0301clair",
        "🍕",
        "👨\u200d👩\u200d👧",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a non-joiner
        "\u05e9\u05dc\u05d5\u05dd!\u200f",  # Hebrew, with a mark after its punctuation
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # Scotland
        "2 à 3.50 €",
        " padded ",
        "?",
    ],
)
def test_whatever_people_write_is_readable(shown: str) -> None:
    require_readable(shown, field="/title", lines=False)


@given(st.text(st.characters(categories=["L", "N", "P", "Sc", "Sm", "Zs"]), max_size=100))
def test_letters_digits_and_spaces_are_readable_in_every_script(shown: str) -> None:
    require_readable("x" + shown, field="/title")


def test_only_a_text_of_several_lines_has_line_feeds_and_tabs() -> None:
    require_readable("soup\n\tbread", field="/memo")
    with pytest.raises(BadText, match="control characters"):
        require_readable("soup\nbread", field="/title", lines=False)
    with pytest.raises(BadText, match="control characters"):
        require_readable("soup\tbread", field="/title", lines=False)


@given(words, st.characters(categories=["Cc", "Cs"], exclude_characters="\n\t"), words)
def test_one_control_character_spoils_a_text(before: str, control: str, after: str) -> None:
    with pytest.raises(BadText, match="control characters") as refused:
        require_readable(before + control + after, field="/memo")
    assert refused.value.field == "/memo"


@pytest.mark.parametrize(
    "override", list("\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
def test_nothing_may_turn_the_reading_direction_around(override: str) -> None:
    with pytest.raises(BadText, match="control characters"):
        require_readable(f"paid {override}00.1", field="/memo")


@pytest.mark.parametrize(
    "unseen",
    [
        *("\u180e", "\u2060", "\ufeff", "\ufff9", "\ufffb", "\U000e0041", "\U000e007f"),
        *("\ufdd0", "\ufdef", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff"),
        "\U0001f3f4\U000e0073\U000e0065\U000e0063\U000e007f",  # a flag of nowhere
    ],
)
def test_no_two_lines_differ_in_what_nobody_sees(unseen: str) -> None:
    with pytest.raises(BadText, match="nobody sees") as refused:
        require_readable(f"An{unseen}a", field="/name", lines=False)
    assert refused.value.field == "/name"
    require_readable(f"pasted {unseen}", field="/memo")


@pytest.mark.parametrize(
    "blank",
    [
        *("", " ", "\n", "\t \n", "\u00a0", "\u3000"),  # spaces
        *("\u200b", "\u200d", "\ufeff", "\u0301"),  # what only changes its neighbours
        *("\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"),  # letters and a symbol without ink
    ],
)
def test_a_text_that_shows_nothing_is_empty(blank: str) -> None:
    with pytest.raises(BadText, match="is empty") as refused:
        require_readable(blank, field="/title")
    assert refused.value.field == "/title"


def test_a_text_has_a_longest_form() -> None:
    require_readable("x" * TEXT_MAX, field="/memo")
    require_readable("家" * 50, field="/category", characters_max=50)
    with pytest.raises(BadText, match="longer than 2000 characters"):
        require_readable("x" * (TEXT_MAX + 1), field="/memo")
    with pytest.raises(BadText, match="longer than 50 characters"):
        require_readable("家" * 51, field="/category", characters_max=50)


@pytest.mark.parametrize("bad", ["my secret\0", "my secret" * 300])
def test_a_refusal_does_not_repeat_the_text(bad: str) -> None:
    with pytest.raises(BadText) as refused:
        require_readable(bad, field="/memo")
    assert "secret" not in refused.value.message
