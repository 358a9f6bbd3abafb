"""Reading pages in tests."""

import base64
import json
import re
import zlib
from typing import Any


def payload_of(page: str) -> dict[str, Any]:
    """The data that a page draws from."""
    held = re.search(r'<script type="application/zlib" id="payload">(.*?)</script>', page)
    assert held is not None
    content = json.loads(zlib.decompress(base64.b64decode(held[1])))
    assert isinstance(content, dict)
    return content
