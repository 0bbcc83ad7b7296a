"""Every snippet of the README does what it says. (.ci/run runs `make serve` and `make test`.)"""

import doctest
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from tests.core.test_journal_file import TOLD, exported

ROOT = Path(__file__).parents[1]
START_S = 60


def shell(command: str, **more: str) -> str:
    """What `command` prints, run in the project with its own commands first in the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-euc", command],
        cwd=ROOT,
        env={**os.environ, "PATH": path, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def console(example: Example) -> None:
    """A `$ command` and, to the letter, what it prints."""
    command, _, expected = str(example.parsed).removeprefix("$ ").partition("\n")
    assert shell(command) == expected


PARSERS: dict[str, Callable[[Document], Iterable[Region]]] = {
    "python": PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS),
    "console": CodeBlockParser("console", console),
    "sh": CodeBlockParser("sh", lambda _: None),
}


def snippets(language: str) -> list[Example]:
    return list(Sybil(parsers=[PARSERS[language]]).parse(ROOT / "README.md").examples())


@pytest.mark.parametrize("language", ["python", "console"])
def test_every_snippet_prints_what_it_says(language: str) -> None:
    examples = snippets(language)
    for example in examples:
        example.evaluate()
    assert examples


def test_the_two_commands_are_the_two_that_are_there() -> None:
    commands = [str(example.parsed).strip() for example in snippets("sh")]
    assert [command for command in commands if command.startswith("make")] == [
        "make serve",
        "make test",
    ]


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/settlement.md",
        "docs/security.md",
        "docs/scaling.md",
        "docs/measurements.md",
    ],
)
def test_every_link_and_every_file_that_is_named_is_there(document: str) -> None:
    written = (ROOT / document).read_text()
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", written)
    named = re.findall(r"`((?:clearsplit_|docs/|tests/)[\w/.]+\.\w+)`", written)
    places = [(ROOT / document).parent / link for link in links] + [ROOT / name for name in named]
    assert [place for place in places if not place.exists()] == []
    assert places


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", "docs/scaling.md", "docs/measurements.md"]
)
def test_every_make_command_that_is_named_is_there(document: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:`|^)make ([a-z-]+)", (ROOT / document).read_text(), re.MULTILINE)
    assert named
    assert set(named) <= set(targets)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """`clearsplit serve` on a private Postgres and a free port, in this user's usual folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for name in ("DATABASE_URL", "DATABASE_URL_FILE", "ENV"):
        monkeypatch.delenv(name, raising=False)
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clearsplit = Path(sys.executable).parent / "clearsplit"
    options = ["serve", "--port", str(port)]
    with subprocess.Popen([clearsplit, *options], stdout=subprocess.DEVNULL) as process:
        try:
            address = f"127.0.0.1:{port}"
            wait_for(f"http://{address}/health/ready")
            yield address
        finally:
            process.terminate()


def wait_for(url: str) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_curl_lines_settle_a_group_that_can_be_checked(server: str) -> None:
    (lines,) = [str(each.parsed) for each in snippets("sh") if "curl" in str(each.parsed)]
    said = shell(lines.replace("127.0.0.1:8000", server))
    assert '"amount_minor":2125,"currency":"EUR"}],"optimal":true' in said
    assert '"amount_minor":2125,"currency":"EUR","date":"2026-01-06"' in said
    assert '"code"' not in said
    (check,) = [str(each.parsed) for each in snippets("sh") if "verify" in str(each.parsed)]
    checked = shell(check)
    assert "1 group" in checked
    assert "The new password is " in checked


def test_the_checker_in_the_journals_page_checks_what_is_exported(tmp_path: Path) -> None:
    (checker,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/journal.md").read_text(), re.DOTALL
    )
    (tmp_path / "checker.py").write_text(checker)
    file, changed = tmp_path / "trip.jsonl", tmp_path / "changed.jsonl"
    file.write_bytes(b"".join(exported(TOLD)))
    changed.write_bytes(file.read_bytes().replace(b"With wine.", b"With beer."))
    words = [sys.executable, "-I", str(tmp_path / "checker.py")]
    fine = subprocess.run([*words, str(file)], capture_output=True, text=True, check=False)
    assert (fine.stdout, fine.stderr) == (f"{TOLD.group.head.hash}\n", "")
    wrong = subprocess.run([*words, str(changed)], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stderr) == (1, "entry 4 is wrong\n")
