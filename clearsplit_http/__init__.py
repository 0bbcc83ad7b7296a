"""ClearSplit over HTTP: knows the core, and no store in particular.

A request becomes a command, a store performs it, the answer becomes bytes. Start reading at
`expenses.py`; then `operations.py` says what happens around every route, in which order.
"""
