# What ClearSplit uses of yoyo 9, which ships no types of its own.

from yoyo.migrations import default_migration_table as default_migration_table
from yoyo.migrations import read_migrations as read_migrations
