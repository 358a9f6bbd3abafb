"""`python -m normball.cli`."""

import sys

from normball.cli import main

sys.exit(main())
