"""The wire: what bodies look like, and how they become commands and come from records.

One file per noun. A struct knows the core; it knows nothing of requests. Ids and salts that the
client did not choose are made here, at the moment a body becomes a command.
"""
