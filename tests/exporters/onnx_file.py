# SPDX-License-Identifier: Apache-2.0
# What an ONNX file holds, as far as the exporters' tests ask: operators, inputs, opset. Debian's python3-torch comes
# without the onnx module.
from collections import Counter, namedtuple

OnnxFile = namedtuple("OnnxFile", "opset operators inputs")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """Number and value of every field of a message: bytes of a length-delimited one, else a number."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        size = {0: None, 1: 8, 2: None, 5: 4}[key & 7]
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            if size is None:
                size, at = varint(data, at)
            value = data[at : at + size]
            at += size
        yield key >> 3, value


def read(path):
    with open(path, "rb") as file:
        model = list(fields(memoryview(file.read())))
    graph = list(fields(next(value for key, value in model if key == 7)))
    domains = [dict(fields(value)) for key, value in model if key == 8]
    nodes = [dict(fields(value)) for key, value in graph if key == 1]
    return OnnxFile(
        opset=next(d[2] for d in domains if not d.get(1)),
        operators=Counter(bytes(node[4]).decode() for node in nodes),
        inputs=sum(key == 11 for key, _ in graph),
    )
