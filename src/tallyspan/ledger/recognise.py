"""Whether a file is books: by its first bytes, then by its name."""

import gzip
import io
import re
import zlib

_LOGS = re.compile(rb'\{\s*"resourceLogs"')
_OTHER_SIGNALS = re.compile(rb'\{\s*"resource(?:Spans|Metrics|Profiles)"')
_OTHER_JSON = re.compile(rb'\s*[\[{]\s*"')
"""Lines of JSON that name something else first: a batch's input, a page of the API; only torn books begin otherwise."""
_NAMES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")

GZIP = b"\x1f\x8b"
"""First bytes of a gzip file (RFC 1952, 2.3.1)."""

ZSTD = b"\x28\xb5\x2f\xfd"
"""First bytes of a zstd frame (RFC 8878, 3.1.1)."""


def looks_like_books(name: str, head: bytes) -> bool:
    """
    Say whether a file holds books.

    Args:
        name: Path or name of the file.
        head: Its first bytes; 4096 are enough.
    """
    text = _unpacked(head)
    if _LOGS.search(text):
        return True
    if _OTHER_SIGNALS.search(text):
        return False
    return name.lower().endswith(_NAMES) and _OTHER_JSON.match(text) is None


def _unpacked(head: bytes) -> bytes:
    if not head.startswith(GZIP):
        return head
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(head)).read1(4096)
    except (EOFError, OSError, zlib.error):
        return b""
