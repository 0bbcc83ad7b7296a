"""The command `clearsplit`: what a person sees, what a program reads, and the exit status."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Final

import pytest

from clearsplit_core import cli
from clearsplit_core.cli import main
from clearsplit_core.imports import FILE_BYTES_MAX

SAMPLES: Final = Path(__file__).parent / "imports" / "samples"
LISBON: Final = str(SAMPLES / "lisbon.csv")
HEADER: Final = "Date,Description,Category,Cost,Currency,"

Plugin = Callable[[str, str], None]


def command(
    *words: str, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """What the command line does as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "clearsplit_core", *words],
        input=stdin,
        capture_output=True,
        env={**os.environ, **(environment or {})},
        timeout=60,
        check=False,
    )


@pytest.fixture
def settled(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., list[str]]:
    """The lines that settle prints for a group of the named members in which one row was paid."""

    def lines(*members: str, nets: Sequence[str] = ("10.00", "-10.00")) -> list[str]:
        quoted = ",".join(f'"{member}"' for member in members)
        row = f"2026-01-05,Tea,Tea,20.00,EUR,{','.join(nets)}"
        file = tmp_path / "export.csv"
        file.write_text(f"{HEADER}{quoted}\n{row}\n", encoding="utf-8")
        assert main(["settle", str(file)]) == 0
        return capsys.readouterr().out.splitlines()

    return lines


# ── settle, for a person ─────────────────────────────────────────────────────────────────────────


def test_settle_prints_balances_and_payments_as_an_aligned_table() -> None:
    done = command("settle", LISBON)
    assert done.returncode == 0
    assert done.stderr == b""
    assert done.stdout.decode() == (
        "EUR\n"
        "  Ana Lima   31.66  is owed\n"
        "  Bo Chen    16.67  is owed\n"
        "  Cy Dorn   -48.33  owes\n"
        "\n"
        "  Cy Dorn pays  Ana Lima  31.66\n"
        "  Cy Dorn pays  Bo Chen   16.67\n"
        "  2 payments; it cannot be done with fewer.\n"
    )


def test_each_currency_has_its_own_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settle", str(SAMPLES / "lissabon.csv")]) == 0
    euros, yen = capsys.readouterr().out.split("\n\nJPY\n")
    assert euros.startswith("EUR\n")
    assert "  Bo Chen pays   高橋 さくら  1000\n" in yen


def test_a_settled_group_has_nothing_to_pay(settled: Callable[..., list[str]]) -> None:
    lines = settled("Ana", "Bo", nets=("0", "0"))
    assert lines == [
        "EUR",
        "  Ana  0.00  settled",
        "  Bo   0.00  settled",
        "",
        "  Everybody is settled.",
    ]


def test_a_file_without_expenses_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text(f"{HEADER}Ana,Bo\n")
    assert main(["settle", str(tmp_path / "new.csv")]) == 0
    assert capsys.readouterr().out == "There are no expenses in this file.\n"


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("高橋", "Anna"),
        ("김민준", "Andrea"),
        ("x\u0301y", "xy"),
        ("น้ำผึ้ง", "abcd"),
        ("🙂", "ab"),
    ],
)
def test_amounts_stand_in_one_column_whatever_the_script(
    settled: Callable[..., list[str]], wide: str, narrow: str
) -> None:
    _, first, second, *_ = settled(wide, narrow)
    assert first.partition("10.00")[0].replace(wide, narrow) == second.partition("-10.00")[0] + " "


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[2J\x1b]0;pwned\x07Bo", r"\x1b[2J\x1b]0;pwned\x07Bo"),
        ("Bo\u009b31m", r"Bo\x9b31m"),
        ("Bo\nEUR", r"Bo\nEUR"),
        ("\u202eoB", r"\u202eoB"),
        ("Bo\u2028x", r"Bo\u2028x"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # noqa: RUF001  # the joiner belongs to the word
    ],
)
def test_no_name_can_speak_to_the_terminal(
    settled: Callable[..., list[str]], name: str, shown: str
) -> None:
    assert settled("Ana", name)[2].startswith(f"  {shown}  ")


def test_messages_cannot_either(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(f"{HEADER}Ana,\x1b[2JBo\n2026-01-05,T,T,1,EUR,1,x\n")
    assert main(["settle", str(tmp_path / "bad.csv")]) == 1
    assert "\x1b" not in capsys.readouterr().err


def test_a_warning_goes_to_stderr_and_leaves_the_status_fine() -> None:
    wrong = Path(LISBON).read_bytes().replace(b"31.66", b"31.67")
    done = command("settle", "-", stdin=wrong)
    assert done.returncode == 0
    assert done.stderr.decode() == (
        "clearsplit: warning: Row 7, column F (Ana Lima): the total is 31.67 EUR, "
        "the rows come to 31.66 EUR; the balances are those of the rows.\n"
    )


# ── settle, for a program ────────────────────────────────────────────────────────────────────────


def test_json_has_balances_transfers_and_what_is_known_of_their_number() -> None:
    assert json.loads(command("settle", "--json", LISBON).stdout) == {
        "currencies": {
            "EUR": {
                "balances": {"Ana Lima": 3166, "Bo Chen": 1667, "Cy Dorn": -4833},
                "transfers": [
                    {"from": "Cy Dorn", "to": "Ana Lima", "amount_minor": 3166},
                    {"from": "Cy Dorn", "to": "Bo Chen", "amount_minor": 1667},
                ],
                "optimal": True,
                "lower_bound": 2,
            }
        },
        "warnings": [],
    }


def test_json_repeats_the_warnings() -> None:
    wrong = Path(LISBON).read_bytes().replace(b"31.66", b"31.67")
    done = command("settle", "-", "--json", stdin=wrong)
    (warning,) = json.loads(done.stdout)["warnings"]
    assert warning in done.stderr.decode()


# ── What can be wrong ────────────────────────────────────────────────────────────────────────────


def test_a_bad_cell_is_named_on_stderr_with_status_one() -> None:
    done = command("settle", "-", stdin=Path(LISBON).read_bytes().replace(b"30.00", b"thirty"))
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        "clearsplit: Row 4, column G (Bo Chen): expected an amount such as 1234.50, "
        "found 'thirty'.\n"
    )


def test_a_file_that_cannot_be_read_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["settle", str(tmp_path / "trip.csv")]) == 1
    assert main(["settle", str(tmp_path)]) == 1
    missing, directory = capsys.readouterr().err.splitlines()
    assert missing.endswith("trip.csv: No such file or directory.")
    assert directory.endswith(": Is a directory.")


def test_an_endless_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settle", "/dev/zero"]) == 1
    assert f"longer than {FILE_BYTES_MAX // 1024**2} MiB" in capsys.readouterr().err


def test_endless_input_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = BytesIO(bytes(FILE_BYTES_MAX + 100))
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(endless))
    assert main(["settle", "-"]) == 1
    assert endless.tell() == FILE_BYTES_MAX + 1


def test_direct_needs_debts_that_a_file_of_nets_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settle", "--strategy", "direct", LISBON]) == 2
    assert "only nets" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["settle"], ["settle", LISBON, "x"], ["settle", "--strategy", "best", LISBON], ["setle"]],
)
def test_a_wrong_command_line_has_status_two(words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2


def test_no_command_prints_the_help_with_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "settle a group from an export file" in capsys.readouterr().err


# ── The process around it ────────────────────────────────────────────────────────────────────────


def test_a_reader_that_leaves_early_is_no_traceback() -> None:
    many = HEADER + ",".join(f"member {i}" for i in range(900))
    row = "\n2026-01-05,Tea,Tea,1,EUR," + ",".join(["1", "-1"] * 450)
    run = subprocess.Popen(
        [sys.executable, "-m", "clearsplit_core", "settle", "-", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stdin is not None
    assert run.stdout is not None
    assert run.stderr is not None
    run.stdout.close()
    run.stdin.write((many + row).encode())
    run.stdin.close()
    complaint = run.stderr.read()
    run.stderr.close()
    assert run.wait(60) == 141
    assert b"Traceback" not in complaint
    assert b"Exception" not in complaint


def test_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "clearsplit_core", "settle", LISBON],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"clearsplit: [Errno 28] No space left on device.\n"


def test_ctrl_c_has_the_status_that_shells_give_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_data: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "read", interrupted)
    assert main(["settle", LISBON]) == 130


def test_sigterm_ends_process_one_too() -> None:
    """Linux spares the first process of a container whatever it has no handler for."""
    alone = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("this system allows no namespaces")
    words = [*alone, sys.executable, "-m", "clearsplit_core", "settle", "-"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as outer:
        try:
            os.kill(first_in(outer.pid), signal.SIGTERM)
            assert outer.wait(timeout=60) == 143
        finally:
            outer.kill()


def first_in(outer: int) -> int:
    """The child of that process, as soon as it catches SIGTERM."""
    caught = 1 << (signal.SIGTERM - 1)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in Path(f"/proc/{outer}/task/{outer}/children").read_text().split():
            status = Path(f"/proc/{child}/status").read_text()
            masks = dict(line.split(":\t") for line in status.splitlines())
            if int(masks["SigCgt"], 16) & caught:
                return int(child)
        time.sleep(0.01)
    raise AssertionError("it never catches SIGTERM")


@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}]
)
def test_names_that_stdout_cannot_spell_are_escaped_and_still_aligned(
    environment: dict[str, str],
) -> None:
    done = command("settle", str(SAMPLES / "lissabon.csv"), environment=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    first, second, third = done.stdout.splitlines()[1:4]
    assert rb"\u9ad8" in third
    assert {line.index(b".") for line in (first, second, third)} == {len(third.split(b".")[0])}


def test_a_closed_stdin_is_an_empty_file() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", None)
        assert main(["settle", "-"]) == 1


def test_standard_input_is_read_as_bytes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = TextIOWrapper(BytesIO(Path(LISBON).read_bytes().decode().encode("utf-16")))
    monkeypatch.setattr(sys, "stdin", typed)
    assert main(["settle", "-"]) == 0
    assert "Ana Lima   31.66" in capsys.readouterr().out


def test_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("clearsplit 0.")


# ── Adapters' commands ───────────────────────────────────────────────────────────────────────────

GREET: Final = '''
def greet(parser):
    """Say hello to 100 % of the table."""
    parser.add_argument("name")
    return lambda chosen: print("hello", chosen.name) or 7

def refuse(parser):
    """Refuse."""
    from clearsplit_core.errors import GroupFull
    def run(chosen):
        raise GroupFull
    return run

def lack(parser):
    """Need a package while running."""
    def run(chosen):
        import no_such_package.inside
    return run
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """Installs a distribution of one module and its entry points for this test."""

    def install(source: str, entry_points: str) -> None:
        (tmp_path / "greeting.py").write_text(source)
        metadata = tmp_path / "greeting-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[clearsplit.commands]\n{entry_points}\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "greeting", raising=False)

    return install


def test_an_entry_point_adds_a_command_with_its_arguments_and_status(
    plugin: Plugin, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(GREET, "greet = greeting:greet")
    assert main(["greet", "ana"]) == 7
    assert capsys.readouterr().out == "hello ana\n"


def test_a_commands_help_is_read_without_importing_it(
    plugin: Plugin, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin("import no_such_package\n" + GREET, "greet = greeting:greet [warm]")
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = " ".join(capsys.readouterr().out.split())
    assert "greet Say hello to 100 % of the table. (needs greeting[warm])" in listed
    assert "greeting" not in sys.modules


def test_a_command_whose_module_is_gone_is_still_listed(
    plugin: Plugin, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(GREET, "wave = gone.away:wave [warm]")
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "wave" in capsys.readouterr().out


def test_settle_does_not_even_ask_for_adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cli, "entry_points")
    assert main(["settle", LISBON]) == 0


@pytest.mark.parametrize("words", [["greet", "ana", "--loud"], ["greet", "--help"]])
def test_a_command_without_its_packages_says_which_extra_to_install(
    plugin: Plugin, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    plugin("import no_such_package\n", "greet = greeting:greet [warm]")
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    assert capsys.readouterr().err == (
        "clearsplit greet needs the warm packages: pip install 'greeting[warm]'\n"
    )


def test_so_does_one_that_finds_out_while_it_runs(
    plugin: Plugin, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(GREET, "lack = greeting:lack")
    with pytest.raises(SystemExit) as left:
        main(["lack"])
    assert left.value.code == 2
    assert capsys.readouterr().err == (
        "clearsplit lack needs the package no_such_package, which is not installed.\n"
    )


def test_a_broken_adapter_is_not_taken_for_a_missing_package(plugin: Plugin) -> None:
    plugin("import greeting.inside\n", "greet = greeting:greet")
    with pytest.raises(ModuleNotFoundError):
        main(["greet", "ana"])


def test_a_commands_refusal_is_its_sentence_and_status_one(
    plugin: Plugin, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(GREET, "refuse = greeting:refuse")
    assert main(["refuse"]) == 1
    assert "as many members as a group can have" in capsys.readouterr().err


def test_no_adapter_takes_the_place_of_settle(plugin: Plugin) -> None:
    plugin(GREET, "settle = greeting:greet")
    assert main(["settle", LISBON]) == 0
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
