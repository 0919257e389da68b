"""Answers of the API as a page reads them."""

import base64
import gzip
import json
import re
import struct
from array import array


def columns_of(body: bytes) -> tuple[dict, dict[str, list]]:
    """The header of stacks, and each of their columns."""
    (length,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + length])
    columns = {}
    for column in header["columns"]:
        kind, size = {"i32": ("i", 4), "f64": ("d", 8)}[column["type"]]
        at = 4 + length + column["at"]
        columns[column["name"]] = list(array(kind, body[at : at + size * column["length"]]))
    return header, columns


def island_of(html: str) -> dict[str, bytes]:
    """The answers in a one-file report, by what they answer."""
    (packed,) = re.findall(r'<script type="application/octet-stream" id="island">([A-Za-z0-9+/=]+)</script>', html)
    data = gzip.decompress(base64.b64decode(packed))
    (length,) = struct.unpack_from("<I", data)
    entries = json.loads(data[4 : 4 + length])["entries"]
    begin = 4 + length
    return {entry["path"]: data[begin + entry["at"] : begin + entry["at"] + entry["length"]] for entry in entries}
