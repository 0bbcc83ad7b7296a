#!/usr/bin/env python3
"""Which tags the image gets for a Git ref, one a line.

    main      → latest, main-<short sha>
    v1.2.3    → v1.2.3, 1.2.3, 1.2, 1, latest
    v1.2.3rc1 → v1.2.3rc1, 1.2.3rc1          (a pre-release never moves a tag that others follow)

The weekly rebuild names the newest release, and so moves the tags that follow it to patched bytes.
An older release that is built again takes none of the tags that a newer one holds.
"""

import re
import sys
from collections.abc import Iterable, Iterator

SHORT = 7
_RELEASE = re.compile(
    r"v(?P<version>(?P<major>0|[1-9]\d*)\.(?P<minor>0|[1-9]\d*)\.(?P<patch>0|[1-9]\d*)"
    r"(?P<pre>[-a-z0-9.]+)?)"
)


def tags(ref: str, sha: str, released: Iterable[str] = ()) -> list[str]:
    """The tags for `ref` at the commit `sha`; `released` is every release's tag that there is.

    Raises ValueError for a ref that is never published.
    """
    if ref == "refs/heads/main":
        return ["latest", f"main-{sha[:SHORT]}"]
    name = ref.removeprefix("refs/tags/")
    found = _RELEASE.fullmatch(name)
    if found is None or name == ref:
        raise ValueError(f"{ref} is neither main nor a version's tag")
    exact = [name, found["version"]]
    if found["pre"]:
        return exact
    return [*exact, *_moving(_numbers(found), released)]


def image_name(repository: str) -> str:
    """The registry takes lower case only."""
    return f"ghcr.io/{repository.lower()}/api"


def _moving(this: tuple[int, ...], released: Iterable[str]) -> Iterator[str]:
    """The tags that follow the newest release of a line, where this is it."""
    others = [found for name in released if (found := _RELEASE.fullmatch(name)) is not None]
    finals = [_numbers(found) for found in others if not found["pre"]]
    major, minor, _ = this
    lines = (((major, minor), f"{major}.{minor}"), ((major,), f"{major}"), ((), "latest"))
    for line, tag in lines:
        if this >= max([this, *(each for each in finals if each[: len(line)] == line)]):
            yield tag


def _numbers(found: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(found[part]) for part in ("major", "minor", "patch"))


if __name__ == "__main__":
    _, ref, sha, repository = sys.argv
    name = image_name(repository)
    for tag in tags(ref, sha, (line.strip() for line in sys.stdin)):
        sys.stdout.write(f"{name}:{tag}\n")
