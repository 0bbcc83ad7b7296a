"""What is there to serve from."""

from typing import Final, LiteralString

SCHEMA: Final[LiteralString] = "select migration_id from _yoyo_migration"
