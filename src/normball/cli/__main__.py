"""`python -m normball.cli`."""

import sys

from normball.cli import main

code = main()
# CPython 3.11 notes a KeyboardInterrupt that leaves an exec of text (some imports are such), and with -m it then ends
# by SIGINT although the interrupt was handled; the next exec clears the note.
exec("")
sys.exit(code)
