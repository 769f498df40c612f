"""The data of a page of the viewer, read as packing.py says, by loops."""

import base64
import json
import re
import zlib

import numpy as np


def elements(html):
    """What is unpacked of every data element, by its id."""
    found = re.findall(r'<script type="application/octet-stream" id="([a-z0-9-]+)">([A-Za-z0-9+/=]*)</script>', html)
    return {name: zlib.decompress(base64.b64decode(text)) for name, text in found}


def read(html):
    """The index, and of each run its items with weights as numbers."""
    parts = elements(html)
    index = json.loads(parts["index"])
    runs = []
    for place in index["places"]:
        items = []
        for number in range(len(place["first"])):
            data = parts[f"chunk-{place['chunk'] + number}"]
            size = int.from_bytes(data[:4], "little")
            head, weights = json.loads(data[4 : 4 + size]), data[4 + size :]
            assert len(items) == place["first"][number]
            for item in head["items"]:
                looks = {}
                for name, (rows, columns, layers, heads, at, scale, *zero) in item["look"].items():
                    words = head["labels"][rows], head["labels"][columns]
                    shape = layers, heads, len(words[0]), len(words[1])
                    numbers = np.frombuffer(weights, np.uint8, int(np.prod(shape)), at).reshape(shape)
                    from_zero = (numbers - float(zero[0])) / zero[0] if zero else numbers / index["levels"]
                    looks[name] = (*words, from_zero * scale)
                items.append({**item, "look": looks})
        runs.append(items)
    return index, runs
