"""`python -m tallyspan.cli`, where the script is not on the path."""

import sys

from tallyspan.cli import main

sys.exit(main())
