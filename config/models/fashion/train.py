#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the model that dscd carries inside itself, and writes it as ONNX.

A small MobileNet (depthwise 3x3 + pointwise 1x1 blocks with shortcuts) for the
ten classes of Fashion-MNIST, trained on a CPU from random weights.

Debian packages needed: python3-torch python3-numpy dataset-fashion-mnist
libopenblas0-pthread.

    ./train.py                      train for 75 minutes, write 1/model.onnx
    ./train.py --minutes 3 --output /tmp/quick.onnx
    ./train.py --epochs 40          a fixed number of epochs, whatever the time

Measured: 93.54 % of the 10,000 test images right (93.08 % with light and dark
exchanged) after --minutes 65 with the default seed, that is 21.7 epochs on two
cores shared with compilers. Again from a clean clone with --minutes 38: 93.80 %
(92.94 %) after 18.4 epochs. An epoch takes about 70 s where both are free.
"""
import argparse
import copy
import ctypes
import gzip
import math
import os
import time

# Two OpenMP threads that spin at a barrier waste the cores of a busy machine; must be set before torch.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

DATA = "/usr/share/datasets/fashion-mnist"
HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = 10
SIDE = 28
# Of all pixels of the training set, before any augmentation; config.json repeats them.
MEAN, STD = 0.2860, 0.3530

BATCH = 128
PEAK_LR = 0.15
WARMUP = 0.08  # share of the run in which the learning rate climbs
MOMENTUM = 0.9
WEIGHT_DECAY = 3e-4
SMOOTHING = 0.05
EMA_DECAY = 0.998
SHIFT = 2  # pixels
ERASE = 0.5  # share of the images that lose a rectangle
INVERT = 0.2  # share of the images shown as dark clothes on a light ground


def keep_freed_memory():
    """Stop glibc from giving large tensors back: a block at 28x28 is 2.6 times as fast so."""
    m_trim_threshold, m_top_pad, m_mmap_max = -1, -2, -4
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(m_mmap_max, 0)
        libc.mallopt(m_trim_threshold, 2**31 - 1)
        libc.mallopt(m_top_pad, 256 << 20)


def load(part):
    """uint8 images [n,1,28,28] and int64 labels [n] of "train" or "t10k", read from the IDX files."""
    with gzip.open(f"{DATA}/{part}-images-idx3-ubyte.gz") as f:
        images = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 1, SIDE, SIDE)
    with gzip.open(f"{DATA}/{part}-labels-idx1-ubyte.gz") as f:
        labels = np.frombuffer(f.read(), np.uint8, offset=8).astype(np.int64)
    assert len(images) == len(labels)
    return torch.from_numpy(images.copy()), torch.from_numpy(labels)


def normalise(pixels):
    return (pixels.float() * (1 / 255) - MEAN) / STD


class Separable(nn.Module):
    """Depthwise 3x3, then pointwise 1x1; with a shortcut where the shapes allow it."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False)
        self.norm1 = nn.BatchNorm2d(inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        y = F.relu_(self.norm1(self.depthwise(x)))
        y = self.norm2(self.pointwise(y))
        return F.relu_(y.add_(x) if self.shortcut else y)


class Network(nn.Module):
    """[n,1,28,28] normalised pixels -> [n,10] logits."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 32, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(32)
        self.blocks = nn.Sequential(
            Separable(32, 32),  # 28x28
            Separable(32, 80, 2),  # 14x14
            *[Separable(80, 80) for _ in range(3)],
            Separable(80, 160, 2),  # 7x7
            *[Separable(160, 160) for _ in range(3)],
        )
        self.head = nn.Linear(160, CLASSES)

    def forward(self, x):
        x = self.blocks(F.relu_(self.norm(self.stem(x))))
        return self.head(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class WithSoftmax(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return F.softmax(self.network(x), 1)


def augment(pixels):
    """Each image shifted at random, perhaps mirrored, light and dark exchanged, a rectangle erased."""
    n, wide = len(pixels), SIDE + 2 * SHIFT
    padded = F.pad(pixels, (SHIFT,) * 4)
    column = torch.arange(SIDE).view(1, 1, SIDE)
    column = torch.where(torch.rand(n, 1, 1) < 0.5, column, SIDE - 1 - column)
    column = column + torch.randint(0, 2 * SHIFT + 1, (n, 1, 1))
    row = torch.arange(SIDE).view(1, SIDE, 1) + torch.randint(0, 2 * SHIFT + 1, (n, 1, 1))
    index = (row * wide + column).view(n, -1)
    shifted = padded.view(n, -1).gather(1, index).view(n, 1, SIDE, SIDE)
    inverted = torch.rand(n, 1, 1, 1) < INVERT
    x = normalise(torch.where(inverted, 255 - shifted, shifted))
    return x.masked_fill(rectangles(n), 0.0)


def rectangles(n):
    """bool [n,1,28,28]: for a share ERASE of the images a rectangle of 4 to 12 pixels a side is true."""
    at = torch.arange(SIDE)
    inside = []
    for axis in (2, 3):
        length = torch.randint(4, 13, (n, 1))
        begin = torch.randint(-4, SIDE - 4, (n, 1))
        shape = [n, 1, 1, 1]
        shape[axis] = SIDE
        inside.append(((at >= begin) & (at < begin + length)).view(shape))
    return inside[0] & inside[1] & (torch.rand(n, 1, 1, 1) < ERASE)


def rate(progress):
    """Learning rate at progress 0..1: a linear climb, then half a cosine down to 0."""
    if progress < WARMUP:
        return PEAK_LR * max(progress / WARMUP, 0.02)
    return PEAK_LR * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - WARMUP) / (1 - WARMUP))))


def predict(network, pixels):
    network.eval()
    with torch.no_grad():
        out = [network(normalise(p).contiguous(memory_format=torch.channels_last)) for p in pixels.split(500)]
    return torch.cat(out)


def accuracy(network, pixels, labels):
    return (predict(network, pixels).argmax(1) == labels).double().mean().item()


def make_optimizer(network):
    """SGD; only the pointwise and full weights decay: for the few depthwise ones and for BN it does harm."""
    decayed, free = [], []
    for p in network.parameters():
        (decayed if p.dim() > 1 and p[0].numel() > 9 else free).append(p)
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=PEAK_LR, momentum=MOMENTUM, nesterov=True)


def update_average(average, network, step):
    decay = min(EMA_DECAY, (1 + step) / (10 + step))
    with torch.no_grad():
        for a, b in zip(average.state_dict().values(), network.state_dict().values()):
            if a.dtype.is_floating_point:
                a.lerp_(b, 1 - decay)
            else:
                a.copy_(b)


class Clock:
    """How far the run has come, 0..1: by epochs where their number is given, else by the time used."""

    def __init__(self, minutes, epochs):
        self.start, self.minutes, self.epochs = time.monotonic(), minutes, epochs

    def elapsed(self):
        return (time.monotonic() - self.start) / 60

    def progress(self, epochs_done):
        return epochs_done / self.epochs if self.epochs else self.elapsed() / self.minutes


def train(clock, train_set, test_set):
    """Returns the average of the last steps' weights. Test accuracy is only printed, it decides nothing."""
    pixels, labels = train_set
    network = Network().to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    optimizer = make_optimizer(network)
    loss_of = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    per_epoch = len(labels) // BATCH
    step, epoch = 0, 0
    while clock.progress(epoch) < 1:
        network.train()
        total = 0.0
        for batch in torch.randperm(len(labels))[: per_epoch * BATCH].split(BATCH):
            progress = clock.progress(step / per_epoch)
            if progress >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = rate(progress)
            x = augment(pixels[batch]).contiguous(memory_format=torch.channels_last)
            loss = loss_of(network(x), labels[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1
            update_average(average, network, step)
            total += loss.item()
        epoch += 1
        line = f"epoch {epoch:3d}  {clock.elapsed():5.1f} min  done {clock.progress(step / per_epoch):.3f}"
        line += f"  loss {total / per_epoch:.4f}"
        if epoch % 4 == 1:
            line += f"  test {accuracy(average, *test_set):.4f}"
        print(line, flush=True)
    print(f"{step} steps, {step / per_epoch:.1f} epochs", flush=True)
    return average


def export(network, path):
    """Opset 13; the exporter folds the batch normalisations into the convolutions."""
    model = WithSoftmax(network.to(memory_format=torch.contiguous_format)).eval()
    torch.onnx.export(
        model,
        torch.zeros(1, 1, SIDE, SIDE),
        path,
        opset_version=13,
        do_constant_folding=True,
        training=torch.onnx.TrainingMode.EVAL,
        input_names=["input"],
        output_names=["probabilities"],
        dynamic_axes={"input": {0: "N"}, "probabilities": {0: "N"}},
    )


def report(network, pixels, labels):
    with open(f"{HERE}/labels.txt", encoding="utf-8") as f:
        names = f.read().splitlines()
    for title, shown in (("as given", pixels), ("light and dark exchanged", 255 - pixels)):
        right = predict(network, shown).argmax(1) == labels
        print(f"test images {title}: {right.double().mean().item():.4f}")
        for c in range(CLASSES):
            print(f"  {names[c]:12s} {right[labels == c].double().mean().item():.3f}")


def main():
    parser = argparse.ArgumentParser(description="Train the Fashion-MNIST model and write it as ONNX.")
    parser.add_argument("--minutes", type=float, default=75, help="time to train for (75)")
    parser.add_argument("--epochs", type=int, default=0, help="train so many epochs instead")
    parser.add_argument("--seed", type=int, default=20240229)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", default=f"{HERE}/1/model.onnx")
    args = parser.parse_args()
    if args.epochs < 0 or not 0 < args.minutes <= 90:
        parser.error("--epochs must not be negative, --minutes lies in (0, 90]")

    keep_freed_memory()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    # Weights and sums that have become denormal would slow every product with them.
    torch.set_flush_denormal(True)
    train_set, test_set = load("train"), load("t10k")
    parameters = sum(p.numel() for p in Network().parameters())
    facts = f"seed {args.seed}, torch {torch.__version__}, {args.threads} threads, {parameters} parameters"
    print(facts, flush=True)
    clock = Clock(args.minutes, args.epochs)
    network = train(clock, train_set, test_set)
    print(f"trained in {clock.elapsed():.1f} min")
    export(network, args.output)
    report(network, *test_set)
    print(f"wrote {args.output}, {os.path.getsize(args.output)} bytes")


if __name__ == "__main__":
    main()
