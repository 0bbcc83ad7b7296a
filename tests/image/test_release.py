"""What the publishing workflow computes: an image's tags, and a release's notes."""

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
SHA = "abc1234def5678abc1234def5678abc1234def56"

tags: Callable[..., list[str]] = runpy.run_path(str(SCRIPTS / "image_tags.py"))["tags"]
notes: Callable[[str, str], str] = runpy.run_path(str(SCRIPTS / "release_notes.py"))["notes"]

CHANGELOG = """\
# Changelog

## [Unreleased]

### Added

- Tomorrow's.

## [1.2.3] - 2026-11-22

### Fixed

- A cent, see [0.9] below.

## [1.2.30] - 2026-11-21

- Another.

[1.2.3]: https://example.org/compare
"""


# ── Tags ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("refs/heads/main", ["latest", "main-abc1234"]),
        ("refs/tags/v1.2.3", ["v1.2.3", "1.2.3", "1.2", "1", "latest"]),
        ("refs/tags/v0.1.0", ["v0.1.0", "0.1.0", "0.1", "0", "latest"]),
        ("refs/tags/v10.20.30", ["v10.20.30", "10.20.30", "10.20", "10", "latest"]),
        ("refs/tags/v1.2.3rc1", ["v1.2.3rc1", "1.2.3rc1"]),
        ("refs/tags/v1.2.3-beta.1", ["v1.2.3-beta.1", "1.2.3-beta.1"]),
    ],
)
def test_a_ref_gets_the_tags_that_the_guide_names(ref: str, expected: list[str]) -> None:
    assert tags(ref, SHA) == expected


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/feature",
        "refs/heads/v1.2.3",
        "refs/pull/7/merge",
        "refs/tags/1.2.3",
        "refs/tags/v1.2",
        "refs/tags/v01.2.3",
        "refs/tags/v1.2.3 latest",
        "v1.2.3",
        "",
    ],
)
def test_any_other_ref_is_never_published(ref: str) -> None:
    with pytest.raises(ValueError, match="neither main nor a version"):
        tags(ref, SHA)


@pytest.mark.parametrize(
    ("version", "released", "moving"),
    [
        ("v1.2.4", "v1.2.3 v1.2.4", ["1.2", "1", "latest"]),
        ("v1.2.3", "v1.2.3 v1.2.4", []),
        ("v1.2.9", "v1.2.9 v1.3.0", ["1.2"]),
        ("v1.9.0", "v1.9.0 v2.0.0", ["1.9", "1"]),
        ("v1.9.0", "v1.9.0 v2.0.0rc1 nonsense", ["1.9", "1", "latest"]),
        ("v1.10.0", "v1.9.0 v1.10.0", ["1.10", "1", "latest"]),
    ],
)
def test_an_older_release_takes_no_tag_from_a_newer(
    version: str, released: str, moving: list[str]
) -> None:
    assert tags(f"refs/tags/{version}", SHA, released.split())[2:] == moving


def test_the_script_names_the_image_in_lower_case() -> None:
    words = [str(SCRIPTS / "image_tags.py"), "refs/heads/main", SHA, "Some-Body/ClearSplit"]
    said = subprocess.run(
        [sys.executable, *words], input="", capture_output=True, text=True, check=True
    )

    name = "ghcr.io/some-body/clearsplit/api"
    assert said.stdout == f"{name}:latest\n{name}:main-abc1234\n"


# ── Notes ────────────────────────────────────────────────────────────────────────────────────────


def test_a_release_is_told_with_its_own_section_of_the_changelog() -> None:
    assert notes(CHANGELOG, "v1.2.3") == "### Fixed\n\n- A cent, see [0.9] below."
    assert notes(CHANGELOG, "v1.2.30") == "- Another."


@pytest.mark.parametrize("tag", ["v9.9.9", "v1.2", "v1.2.3rc1"])
def test_a_release_without_a_word_to_its_users_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match=f"nothing about {tag}"):
        notes(CHANGELOG, tag)
