"""Who is asking: bearer tokens, the key set they are checked against, and dev headers."""

from __future__ import annotations

import logging

# Without a handler of its own a library's warnings go to standard error, in the middle of a report.
logging.getLogger(__name__).addHandler(logging.NullHandler())
