#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks 1/model.onnx with nothing but NumPy, so without dscd and without the library that trained it.

Reads the file's protobuf, computes the network's few operators by their
definition in float32 and says how many of the 10,000 test images of
Fashion-MNIST come out right, and what becomes of samples/. Exit status 1 if a
sample is classified wrongly or less than 93 % of the test images are right.

Debian packages needed: python3-numpy python3-pil dataset-fashion-mnist.

    ./check.py                      the model beside this script; some minutes
    ./check.py --model FILE.onnx --images 1000
    ./check.py --write-samples      make samples/ anew from test images
"""
import argparse
import gzip
import json
import os
import sys

import numpy as np
from PIL import Image

DATA = "/usr/share/datasets/fashion-mnist"
HERE = os.path.dirname(os.path.abspath(__file__))
SIDE = 28
WANTED = 0.93
# File in samples/ -> test image, enlargement, light and dark exchanged.
SAMPLES = {
    "ankle-boot.png": (0, 4, False),
    "pullover.png": (20, 4, False),
    "trouser.png": (2, 4, False),
    "sneaker.png": (9, 1, False),
    "bag.jpg": (18, 8, False),
    "dress-on-white.jpg": (13, 8, True),
}


# Protobuf: a message becomes {field number: [values]}; lengths are trusted, since the file is our own.
def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def message(data):
    fields, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at : at + size], at + size
        else:
            raise ValueError(f"protobuf wire type {kind} at byte {at}")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def text(field):
    return bytes(field[0]).decode()


def integers(values):
    """A repeated integer field, packed or not; 64-bit two's complement."""
    out = []
    for value in values:
        at = 0
        while not isinstance(value, int) and at < len(value):
            number, at = varint(value, at)
            out.append(number)
        if isinstance(value, int):
            out.append(value)
    return [v - 2**64 if v >= 2**63 else v for v in out]


def tensor(data):
    fields = message(data)
    kind = {1: np.float32, 7: np.int64}[fields[2][0]]
    return text(fields[8]), np.frombuffer(fields[9][0], kind).reshape(integers(fields.get(1, [])))


def attributes(node):
    out = {}
    for data in node.get(5, []):
        fields = message(data)
        kind = fields[20][0]  # 1 float, 2 int, 7 ints
        if kind == 7:
            out[text(fields[1])] = integers(fields.get(8, []))
        elif kind in (1, 2):
            number = np.frombuffer(fields[2][0], "<f4") if kind == 1 else integers(fields[3])
            out[text(fields[1])] = number[0]
        else:
            raise ValueError(f"attribute {text(fields[1])} has a type ({kind}) that is not expected here")
    return out


# Operators: f(attributes, inputs) -> output.
def conv(a, x, w, b):
    group, (sy, sx), (top, left, bottom, right) = a["group"], a["strides"], a["pads"]
    assert a["dilations"] == [1, 1] and group in (1, x.shape[1])
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    height, width = (x.shape[2] - w.shape[2]) // sy + 1, (x.shape[3] - w.shape[3]) // sx + 1
    y = np.zeros((len(x), len(w), height, width), np.float32)
    for r in range(w.shape[2]):
        for c in range(w.shape[3]):
            seen = x[:, :, r : r + sy * (height - 1) + 1 : sy, c : c + sx * (width - 1) + 1 : sx]
            if group > 1:
                y += seen * w[:, 0, r, c].reshape(1, -1, 1, 1)
            else:
                y += np.matmul(w[:, :, r, c], seen.reshape(len(x), x.shape[1], -1)).reshape(y.shape)
    return y + b.reshape(1, -1, 1, 1)


def gemm(a, x, w, b):
    assert not a.get("transA") and a.get("alpha", 1) == 1 and a.get("beta", 1) == 1
    return x @ (w.T if a.get("transB") else w) + b


def softmax(a, x):
    e = np.exp(x - x.max(a["axis"], keepdims=True))
    return e / e.sum(a["axis"], keepdims=True)


OPERATORS = {
    "Conv": conv,
    "Gemm": gemm,
    "Softmax": softmax,
    "Relu": lambda a, x: np.maximum(x, 0),
    "Add": lambda a, x, y: x + y,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdims=True),
    "Flatten": lambda a, x: x.reshape(len(x), -1),
}


class Model:
    def __init__(self, path):
        with open(path, "rb") as f:
            graph = message(message(f.read())[7][0])
        self.weights = dict(tensor(t) for t in graph[5])
        self.nodes = []
        for data in graph[1]:
            node = message(data)
            names = [bytes(n).decode() for n in node[1]]
            self.nodes.append((text(node[4]), attributes(node), names, text(node[2])))

    def run(self, x):
        values = dict(self.weights, input=x)
        for kind, attrs, inputs, output in self.nodes:
            values[output] = OPERATORS[kind](attrs, *[values[n] for n in inputs])
        return values["probabilities"]


def load_test_set():
    with gzip.open(f"{DATA}/t10k-images-idx3-ubyte.gz") as f:
        images = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 1, SIDE, SIDE)
    with gzip.open(f"{DATA}/t10k-labels-idx1-ubyte.gz") as f:
        return images, np.frombuffer(f.read(), np.uint8, offset=8)


class Preprocess:
    """What config.json says about pixels; only the resize that the file names."""

    def __init__(self):
        with open(f"{HERE}/config.json", encoding="utf-8") as f:
            self.p = json.load(f)["preprocess"]
        assert (self.p["resize"], self.p["filter"], self.p["color"]) == ("stretch", "bilinear", "grey")

    def tensor(self, pixels):
        x = pixels.astype(np.float32) * np.float32(self.p["scale"])
        return (x - np.float32(self.p["mean"][0])) / np.float32(self.p["std"][0])

    def file(self, path):
        with Image.open(path) as image:
            grey = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        return self.tensor(np.asarray(grey).reshape(1, 1, SIDE, SIDE))


def write_samples(images):
    for name, (number, factor, inverted) in SAMPLES.items():
        image = Image.fromarray(255 - images[number, 0] if inverted else images[number, 0])
        image = image.resize((SIDE * factor, SIDE * factor), Image.Resampling.BICUBIC)
        options = {"quality": 85} if name.endswith(".jpg") else {"optimize": True}
        image.save(f"{HERE}/samples/{name}", **options)


def check_samples(model, preprocess, labels, names):
    good = True
    for name, (number, _, _) in SAMPLES.items():
        p = model.run(preprocess.file(f"{HERE}/samples/{name}"))[0]
        right = p.argmax() == labels[number]
        good &= bool(right)
        print(f"{name:24s} {names[p.argmax()]:12s} {p.max():.3f}  {'right' if right else 'WRONG'}")
    return good


def check_test_set(model, preprocess, images, labels):
    right = 0
    for at in range(0, len(images), 250):
        p = model.run(preprocess.tensor(images[at : at + 250]))
        assert np.abs(p.sum(1) - 1).max() < 1e-5
        right += int((p.argmax(1) == labels[at : at + 250]).sum())
    print(f"{right} of {len(images)} test images right: {right / len(images):.4f}")
    return right / len(images)


def main():
    parser = argparse.ArgumentParser(description="Check the Fashion-MNIST model with NumPy alone.")
    parser.add_argument("--model", default=f"{HERE}/1/model.onnx")
    parser.add_argument("--images", type=int, default=10000, help="how many of the test images (10000)")
    parser.add_argument("--write-samples", action="store_true")
    args = parser.parse_args()
    images, labels = load_test_set()
    if args.write_samples:
        write_samples(images)
    with open(f"{HERE}/labels.txt", encoding="utf-8") as f:
        names = f.read().splitlines()
    model, preprocess = Model(args.model), Preprocess()
    good = check_samples(model, preprocess, labels, names)
    good &= check_test_set(model, preprocess, images[: args.images], labels[: args.images]) >= WANTED
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
