#!/usr/bin/env python3
"""What CHANGELOG.md says about one version: the notes of its release.

release_notes.py v1.2.3 < CHANGELOG.md
"""

import re
import sys


def notes(changelog: str, tag: str) -> str:
    """The section of the version that `tag` names, without its heading.

    Raises ValueError where there is none, or nothing in it: a release is told to its users.
    """
    version = re.escape(tag.removeprefix("v"))
    section = rf"^## \[{version}\][^\n]*\n(?P<notes>.*?)(?=^## |^\[[^\]\n]+\]: |\Z)"
    found = re.search(section, changelog, re.MULTILINE | re.DOTALL)
    said = found["notes"].strip() if found else ""
    if not said:
        raise ValueError(f"CHANGELOG.md says nothing about {tag}")
    return said


if __name__ == "__main__":
    sys.stdout.write(notes(sys.stdin.read(), sys.argv[1]) + "\n")
