"""`python -m clearsplit_core` is the command `clearsplit`."""

from clearsplit_core.cli import main

raise SystemExit(main())
