"""Reading pages in tests."""

import json
import re
import zlib
from typing import Any


def unpacked(text: str) -> Any:
    """Plain data from the characters of a page: two of them are a number of base 91 with 13 bits."""
    digits = [{"~": ord("<"), "!": ord("&")}.get(letter, ord(letter)) - ord("#") for letter in text]
    bits = "".join(f"{91 * high + low:013b}" for high, low in zip(digits[::2], digits[1::2], strict=True))
    octets = bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits) - 7, 8))
    return json.loads(zlib.decompressobj().decompress(octets))


def payload_of(page: str) -> dict[str, Any]:
    """The data that a page draws from."""
    held = re.search(r'<script type="application/zlib" id="payload">(.*?)</script>', page)
    assert held is not None
    content = unpacked(held[1])
    assert isinstance(content, dict)
    return content
