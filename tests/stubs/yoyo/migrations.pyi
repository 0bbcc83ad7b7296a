from collections.abc import Sequence
from typing import Literal

from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend

default_migration_table: str

class Migration:
    id: str
    def process_steps(
        self, backend: PostgresqlPsycopgBackend, direction: Literal["apply", "rollback"]
    ) -> None: ...

class MigrationList(Sequence[Migration]): ...

def read_migrations(*sources: str) -> MigrationList: ...
