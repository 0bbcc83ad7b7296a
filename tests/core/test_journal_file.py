"""A journal as a file: it can be checked alone, and whatever is changed in it is found."""

import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import given, settings

import clearsplit_core
from clearsplit_core.cli import main
from clearsplit_core.errors import BadFile, BadText, JournalBroken
from clearsplit_core.expenses import Changes
from clearsplit_core.journal import Entry, empty
from clearsplit_core.journal_file import LINE_BYTES_MAX, check, entry_line, first_line
from clearsplit_core.plain import strings_in
from clearsplit_core.ports import Command
from clearsplit_core.records import Fx
from clearsplit_core.text import Text
from tests.literals import (
    TOMORROW,
    TRIP,
    Story,
    expense,
    founding,
    guest,
    member,
    restore,
    revise,
    story,
    text,
    void,
)
from tests.mutations import with_a_change
from tests.stories import stories

ROUNDS: Final = 200
"""Mutations of each kind."""

STEPS: Final[tuple[Command[object], ...]] = (
    founding("ann"),
    guest("bob"),
    guest("cem"),
    expense("Dinner", "60.00 EUR", by="ann", memo="With wine."),
    expense("Taxi", "10.00 USD", by="bob", fx=Fx("EUR", "0.92"), category="transport"),
    revise("Dinner", Changes(date=TOMORROW, title=text("Supper"))),
    void("Taxi"),
    restore("Taxi"),
    expense("Museum", "21.00 CHF", by="cem"),
)
TOLD: Final = story(*STEPS)
LAST: Final = len(TOLD.entries)


def exported(told: Story) -> list[bytes]:
    """The lines of a story's file, all texts in it."""
    lines = [first_line(TRIP, told.group.head)]
    lines += [entry_line(entry, texts_of(told, entry)) for entry in told.entries]
    return [line.encode() for line in lines]


def texts_of(told: Story, entry: Entry) -> dict[str, Text]:
    named = set(strings_in(entry.event))
    return {mark: said for mark, said in told.texts.items() if mark in named}


# ── As it was exported ───────────────────────────────────────────────────────────────────────────


@given(stories())
@settings(max_examples=25)
def test_every_journal_holds_as_a_file_and_tells_the_group_again(told: Story) -> None:
    checked = check(exported(told), remembered=told.group.head.hash)
    assert checked.group.head == told.group.head
    assert checked.group.balances == told.group.balances
    assert checked.group.expenses == told.group.expenses


@given(stories())
@settings(max_examples=25)
def test_a_journal_without_its_texts_holds_as_well(told: Story) -> None:
    lines = [first_line(TRIP, told.group.head)]
    lines += [entry_line(entry, {}) for entry in told.entries]
    checked = check([line.encode() for line in lines])
    assert (checked.texts, checked.group.head) == (0, told.group.head)


def test_a_text_that_would_be_refused_today_holds_where_it_was_recorded() -> None:
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr("clearsplit_core.groups.require_readable", lambda *_, **__: None)
        told = story(founding("ann"), guest("bo\u061cb\u2060"))
    with pytest.raises(BadText):
        guest("bo\u061cb\u2060")
    assert check(exported(told)).group.head == told.group.head


@pytest.mark.parametrize("seq", range(LAST + 1))
def test_it_passes_through_every_head_that_it_had(seq: int) -> None:
    heads = [empty(TRIP), *(entry.head for entry in TOLD.entries)]
    assert check(exported(TOLD), remembered=heads[seq].hash).group.head == TOLD.group.head


def test_a_head_that_it_never_had_is_told() -> None:
    with pytest.raises(JournalBroken, match="never had this head"):
        check(exported(TOLD), remembered="0" * 64)


# ── As it was changed ────────────────────────────────────────────────────────────────────────────

Lines: TypeAlias = list[bytes]
Mutation: TypeAlias = Callable[[Lines, random.Random], int]
"""Changes the lines in place; the first entry that is wrong then."""


def of_entry(seq: int, lines: Lines, change: Callable[[dict[str, Any]], None]) -> int:
    tree = json.loads(lines[seq])
    change(tree)
    lines[seq] = json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return seq


def with_legs(lines: Lines) -> list[int]:
    return [seq for seq in range(1, len(lines)) if json.loads(lines[seq])["postings"]]


def another_amount(lines: Lines, luck: random.Random) -> int:
    def change(tree: dict[str, Any]) -> None:
        one, other = luck.sample(tree["postings"], 2)
        more = luck.randint(1, 10_000)
        one["amount_minor"] += more
        other["amount_minor"] -= more

    return of_entry(luck.choice(with_legs(lines)), lines, change)


def another_date(lines: Lines, luck: random.Random) -> int:
    def change(tree: dict[str, Any]) -> None:
        day = f"20{luck.randint(27, 99)}-0{luck.randint(1, 9)}-1{luck.randint(0, 9)}"
        for leg in tree["postings"]:
            leg["effective_date"] = day

    return of_entry(luck.choice(with_legs(lines)), lines, change)


def another_actor(lines: Lines, luck: random.Random) -> int:
    def change(tree: dict[str, Any]) -> None:
        tree["actor_id"] = luck.choice([None, str(member("bob")), str(member("zoe"))])

    return of_entry(luck.randint(1, LAST), lines, change)


def another_time(lines: Lines, luck: random.Random) -> int:
    def change(tree: dict[str, Any]) -> None:
        tree["at"] = f"{tree['at'][:20]}{luck.randint(100_000, 999_999)}Z"

    return of_entry(luck.randint(1, LAST), lines, change)


def another_event(lines: Lines, luck: random.Random) -> int:
    def change(tree: dict[str, Any]) -> None:
        tree["event"] = with_a_change(tree["event"], luck)

    return of_entry(luck.randint(1, LAST), lines, change)


def another_text(lines: Lines, luck: random.Random) -> int:
    def change(tree: dict[str, Any]) -> None:
        mark = luck.choice(sorted(tree["texts"]))
        tree["texts"][mark]["words"] += luck.choice("abc .")

    told = [seq for seq in range(1, LAST + 1) if json.loads(lines[seq])["texts"]]
    return of_entry(luck.choice(told), lines, change)


def a_text_of_another_entry(lines: Lines, luck: random.Random) -> int:
    def change(tree: dict[str, Any]) -> None:
        said = text(str(luck.random()))
        assert said.salt is not None
        tree["texts"][said.commitment] = {"words": said.words, "salt": said.salt.hex()}

    return of_entry(luck.randint(1, LAST), lines, change)


def an_entry_less(lines: Lines, luck: random.Random) -> int:
    seq = luck.randint(1, LAST)
    del lines[seq]
    return seq


def an_entry_more(lines: Lines, luck: random.Random) -> int:
    after, copied = luck.randint(0, LAST), luck.randint(1, LAST)
    lines.insert(after + 1, lines[copied])
    return after + 1 + (copied == after + 1)


def two_entries_in_each_others_place(lines: Lines, luck: random.Random) -> int:
    one, other = sorted(luck.sample(range(1, LAST + 1), 2))
    lines[one], lines[other] = lines[other], lines[one]
    return one


def a_file_cut_short(lines: Lines, luck: random.Random) -> int:
    seq = luck.randint(1, LAST)
    del lines[seq:]
    return seq


def another_byte(lines: Lines, luck: random.Random) -> int:
    seq = luck.randint(1, LAST)
    place = luck.randrange(len(lines[seq]))
    changed = bytearray(lines[seq])
    changed[place] ^= 1 << luck.randrange(8)
    lines[seq] = bytes(changed)
    return seq


MUTATIONS: Final[Sequence[Mutation]] = (
    another_amount,
    another_date,
    another_actor,
    another_time,
    another_event,
    another_text,
    a_text_of_another_entry,
    an_entry_less,
    an_entry_more,
    two_entries_in_each_others_place,
    a_file_cut_short,
    another_byte,
)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_whatever_is_changed_is_found_and_the_first_wrong_entry_named(mutation: Mutation) -> None:
    luck = random.Random(mutation.__name__)
    for _ in range(ROUNDS):
        lines = exported(TOLD)
        seq = mutation(lines, luck)
        with pytest.raises(JournalBroken) as broken:
            check(lines)
        assert broken.value.seq == seq
        assert str(seq) in broken.value.message


def rewritten(luck: random.Random) -> tuple[int, list[bytes]]:
    """The file of a journal that goes another way from some entry on, every hash as it should be;
    and the first entry that is another."""
    seq = luck.randint(4, LAST)
    again = story(*STEPS[: seq - 1])
    return seq, exported(again.then(expense(str(luck.random()))))


def test_a_journal_written_anew_is_found_by_whoever_remembers_a_head() -> None:
    luck = random.Random(7)
    for _ in range(ROUNDS):
        seq, lines = rewritten(luck)
        check(lines)
        for entry in TOLD.entries[: seq - 1]:
            check(lines, remembered=entry.hash)
        for entry in TOLD.entries[seq - 1 :]:
            with pytest.raises(JournalBroken):
                check(lines, remembered=entry.hash)


# ── What is no journal ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"Date,Description\n",
        b"\xff\xfe\n",
        b"[" * 100_000,
        b'{"format":"clearsplit/journal/2","group_id":"%s","seq":0,"head":""}\n'
        % str(TRIP).encode(),
        b'{"format":"clearsplit/journal/1","group_id":"trip","seq":0,"head":""}\n',
        b'{"format":"clearsplit/journal/1","group_id":"%s","seq":1e3,"head":""}\n'
        % str(TRIP).encode(),
    ],
)
def test_what_is_no_journal_is_told(first: bytes) -> None:
    with pytest.raises(BadFile):
        check([first, *exported(TOLD)[1:]])


HOSTILE: Final = {
    "an empty line": b"\n",
    "a list": b"[]\n",
    "brackets without end": b"[" * 100_000 + b"\n",
    "a number without end": b'{"seq":' + b"9" * 10_000 + b"}\n",
    "a fraction": exported(TOLD)[4].replace(b'"seq":4', b'"seq":4.0'),
    "a name twice": exported(TOLD)[4].replace(b'"seq":4', b'"seq":4,"seq":4'),
    "no hash": re.sub(rb'"hash":"[0-9a-f]+"', b'"hash":""', exported(TOLD)[4]),
    "a local time": exported(TOLD)[4].replace(b'Z"', b'"', 1),
    "half of a surrogate pair": exported(TOLD)[4].replace(b"Dinner", b"\\ud800"),
    "no line end": exported(TOLD)[4].rstrip(),
    "spaces": exported(TOLD)[4].replace(b'"seq":4', b'"seq": 4'),
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_line_that_nobody_exported_is_refused_and_named(line: bytes) -> None:
    lines = exported(TOLD)
    lines[4] = line
    with pytest.raises(JournalBroken) as broken:
        check(lines)
    assert broken.value.seq == 4


# ── clearsplit verify FILE ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trip.jsonl"
    path.write_bytes(b"".join(exported(TOLD)))
    return path


def test_verify_says_what_holds(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(file), "--head", TOLD.entries[3].hash]) == 0
    assert capsys.readouterr().out == (
        f"group    {TRIP}\n"
        f"entries  {LAST}, all in their place and unchanged\n"
        f"texts    12, all as they were written\n"
        f"head     {TOLD.group.head.hash}\n"
    )


def test_verify_names_the_first_wrong_entry(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(file.read_bytes().replace(b"With wine.", b"With beer."))
    assert main(["verify", str(file)]) == 1
    assert "clearsplit: Entry 4 is broken" in capsys.readouterr().err


def test_verify_finds_out_that_a_head_is_missing(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(file), "--head", "0" * 64]) == 1
    assert "never had this head" in capsys.readouterr().err


def test_verify_needs_the_standard_library_alone(file: Path) -> None:
    words = [sys.executable, "-S", "-m", "clearsplit_core", "verify", "-"]
    root = Path(clearsplit_core.__file__).parents[1]
    done = subprocess.run(
        words, input=file.read_bytes(), cwd=root, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(f"head     {TOLD.group.head.hash}\n".encode())


@pytest.mark.parametrize("words", [["verify"], ["verify", "--group", str(TRIP)]])
def test_without_the_server_verify_asks_for_a_file(words: list[str]) -> None:
    root = Path(clearsplit_core.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-S", "-m", "clearsplit_core", *words],
        cwd=root, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2


@pytest.mark.parametrize("head", ["", "abc", "Z" * 64, "0" * 63])
def test_a_head_is_a_hash(file: Path, head: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["verify", str(file), "--head", head])
    assert left.value.code == 2
    assert "a hash has 64 digits" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path / "none.jsonl")]) == 1
    assert capsys.readouterr().err.endswith("none.jsonl: No such file or directory.\n")


def test_a_line_without_end_is_not_read_to_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = tmp_path / "endless.jsonl"
    endless.write_bytes(exported(TOLD)[0] + b"x" * (LINE_BYTES_MAX + 10))
    assert main(["verify", str(endless)]) == 1
    assert "Entry 1 cannot be read." in capsys.readouterr().err
