"""`python -m clearsplit_http` is the same command line as `clearsplit`."""

import sys

from clearsplit_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
