"""ClearSplit on Postgres: knows the core, and nothing of HTTP.

A command becomes one transaction, a question one statement. Start reading at `ledger.py`; what is
asked of the database stands in `sql/`, how a question's rows become its answer in `readings/`, and
what both sides call things in `rows.py`.
"""
