"""Tables of numbers that change smoothly along both axes, as short text: differences of whole numbers, deflated."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.schema import Damaged, number, record, text

BITS = 40  # numbers are rounded to multiples of 2**-40, by 4.5e-13 at most
ORDERS = (3, 2)  # of the differences along the rows and along the columns
LARGEST = 2.0**17  # whose differences still are 64-bit integers

Array = NDArray[np.float64]


def pack(values: Array) -> dict[str, Any] | None:
    """A table (n_rows, n_columns) as JSON data; None where its numbers are too large, or not finite."""
    if not (np.abs(values) < LARGEST).all():
        return None
    whole = np.rint(np.ldexp(values, BITS)).astype(np.int64)
    for axis, order in enumerate(ORDERS):
        for _ in range(order):
            whole = np.diff(whole, axis=axis, prepend=0)
    unsigned = (whole << 1) ^ (whole >> 63)  # small where the difference is, whatever its sign
    planes = unsigned.astype("<i8").reshape(-1, 1).view(np.uint8).T
    return {"bits": BITS, "deflated": base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode("ascii")}


def unpack(value: Any, where: str, shape: tuple[int, int]) -> Array:
    """The table that `pack` wrote, a number at a time within 2**-(bits + 1)."""
    found = record(value, where, {"bits": number(0, 60, whole=True), "deflated": text})
    size = 8 * shape[0] * shape[1]
    unpacker = zlib.decompressobj()
    try:
        planes = unpacker.decompress(base64.b64decode(found["deflated"], validate=True), size + 1)
    except (binascii.Error, zlib.error) as error:
        raise Damaged(f"{where}.deflated", f"cannot be read ({error})") from None
    if len(planes) != size:
        raise Damaged(f"{where}.deflated", f"holds no table of {shape[0]:,} x {shape[1]:,} numbers")
    unsigned = np.frombuffer(planes, dtype=np.uint8).reshape(8, -1).T.copy().view("<u8").reshape(shape)
    whole = (unsigned >> np.uint64(1)).astype(np.int64) ^ -(unsigned & np.uint64(1)).astype(np.int64)
    for axis, order in enumerate(ORDERS):
        for _ in range(order):
            whole = np.cumsum(whole, axis=axis)
    return np.ldexp(whole.astype(np.float64), -int(found["bits"]))
