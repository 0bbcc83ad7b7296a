"""Every statement that the store runs, by name; none is ever put together from pieces.

`%(session_id)s` may be null: then only the account counts.
"""
