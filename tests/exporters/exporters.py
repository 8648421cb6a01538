#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# torchvision's networks through torch.onnx.export in every way it has, run by dscd and held against torch's own answers.
#
#     exporters.py DSCD FOLDER [--short] [--only TEXT] [--keep]
#
# FOLDER gets the files of one case at a time. One line a case; closes with "N passed, N failed". A number is right where it
# is apart by at most RELATIVE of its own size plus RELATIVE/10 of the output's largest number; a line tells the worst.
import argparse
import itertools
import os
import subprocess
import sys
import time
import warnings

import numpy
import torch

import networks
import onnx_file

SEED = 20170417
RELATIVE = 1e-4
OPSETS = [9, 11, 13, 16]
FORMS = ["folded", "unfolded"]  # batch norms in the convolutions' weights, or as nodes
SIZES = {  # which dimensions are free, and the shapes that are run
    "fixed": ([], [(1, 64, 64)]),
    "batch": ([0], [(1, 64, 64), (3, 64, 64)]),
    "size": ([0, 2, 3], [(1, 64, 64), (2, 96, 64), (1, 75, 91)]),
}
PLACES = ["constants", "inputs"]  # where initialisers stand

# Every network once, every opset, form, kind of size and place more than once; on every instruction set of the CPU.
SHORT = """
mobilenet_v2 9 folded size inputs
mobilenet_v2 16 unfolded batch constants
mobilenet_v3_small 9 unfolded size constants
mobilenet_v3_large 13 folded batch inputs
efficientnet_b0 11 unfolded size constants
mnasnet1_0 13 unfolded fixed inputs
shufflenet_v2_x1_0 9 unfolded fixed constants
shufflenet_v2_x1_0 16 folded size constants
squeezenet1_1 9 folded fixed constants
squeezenet1_1 11 folded size inputs
regnet_y_400mf 16 folded batch constants
resnet18 11 unfolded fixed constants
"""


def all_cases():
    return [" ".join(map(str, c)) for c in itertools.product(networks.NETWORKS, OPSETS, FORMS, SIZES, PLACES)]


def reason(error):
    """torch's first sentence, without the request to report it."""
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__).split(" Please ")[0][:160]


def export(network, case, path):
    name, opset, form, size, place = case.split()
    free = {d: "NCHW"[d] for d in SIZES[size][0]}
    is_folded = form == "folded"
    mode = torch.onnx.TrainingMode.EVAL if is_folded else torch.onnx.TrainingMode.PRESERVE
    torch.onnx.export(
        network,
        networks.images((1, 3, networks.SIDE, networks.SIDE), SEED),
        path,
        opset_version=int(opset),
        training=mode,
        do_constant_folding=is_folded,
        keep_initializers_as_inputs=place == "inputs",
        input_names=["image"],
        output_names=["scores"],
        dynamic_axes={"image": free, "scores": {d: n for d, n in free.items() if d == 0}},
    )


def check_file(network, case, path):
    """That the file is what the case says; else the case would test something else."""
    name, opset, form, size, place = case.split()
    file = onnx_file.read(path)
    norms = sum(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
    wanted = norms if form == "unfolded" else 0
    if file.opset != int(opset):
        raise ValueError(f"torch wrote opset {file.opset}")
    if file.operators["BatchNormalization"] != wanted:
        raise ValueError(f"torch wrote {file.operators['BatchNormalization']} batch norms, not {wanted}")
    if (file.inputs > 1) != (place == "inputs"):
        raise ValueError(f"torch wrote {file.inputs} inputs")


def run(dscd, path, folder, image, isa):
    numpy.save(f"{folder}/image.npy", image)
    result = f"{folder}/scores.npy"
    if os.path.exists(result):
        os.remove(result)
    command = [dscd, "run", path, "--input", f"image={folder}/image.npy", "--output", folder, "--isa", isa]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    return numpy.load(result)


def difference(got, wanted):
    """The worst number's; at most RELATIVE where all are right."""
    if got.shape != wanted.shape:
        raise ValueError(f"the shape is {got.shape}, not {wanted.shape}")
    largest = numpy.abs(wanted).max()
    spread = (wanted.max(axis=1) - wanted.min(axis=1)).min()
    if not (numpy.isfinite(largest) and spread > 0.01 * largest):
        raise ValueError("torch's own output says nothing: the network's weights are to blame")
    worst = (numpy.abs(got - wanted) / (numpy.abs(wanted) + 0.1 * largest)).max()
    return float("inf") if numpy.isnan(worst) else float(worst)


def check(dscd, network, case, folder, isas):
    """The worst difference, or ValueError with what went wrong."""
    path = f"{folder}/model.onnx"
    check_file(network, case, path)
    worst = 0.0
    for number, (count, height, width) in enumerate(SIZES[case.split()[3]][1]):
        image = networks.images((count, 3, height, width), SEED + 1 + number)
        with torch.no_grad():
            wanted = network(image).numpy()
        for isa in isas:
            apart = difference(run(dscd, path, folder, image.numpy(), isa), wanted)
            if apart > RELATIVE:
                raise ValueError(f"{apart:.1e} from torch's answer for {count}x3x{height}x{width} with {isa}")
            worst = max(worst, apart)
    return worst


def tiers(dscd):
    """The instruction sets of this CPU."""
    found = []
    for isa in ["ref", "avx2", "avx512", "fip", "amx"]:
        help_text = subprocess.run([dscd, "run", "none.onnx", "--isa", isa], stderr=subprocess.PIPE, text=True).stderr
        if "none.onnx" in help_text:  # it got as far as the missing file
            found.append(isa)
    return found


def run_cases(o, cases, isas):
    counts = {"passed": 0, "FAILED": 0, "not exported": 0}
    name, network = None, None
    short = SHORT.split("\n")
    for case in cases:
        if case.split()[0] != name:
            name = case.split()[0]
            network = networks.build(name, SEED % 1000 + networks.NETWORKS.index(name))
        said = ""
        try:
            export(network, case, f"{o.folder}/model.onnx")
        except Exception as error:  # of any of torch's kinds
            outcome, said = "not exported", reason(error)
        else:
            try:
                said = f"{check(o.dscd, network, case, o.folder, isas if case in short else ['best']):.1e}"
                outcome = "passed"
            except (ValueError, subprocess.TimeoutExpired) as error:
                outcome, said = "FAILED", str(error)
                if o.keep:
                    os.rename(f"{o.folder}/model.onnx", f"{o.folder}/{case.replace(' ', '-')}.onnx")
        counts[outcome] += 1
        print(f"{case:52} {outcome}: {said}", flush=True)
    return counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dscd")
    parser.add_argument("folder")
    parser.add_argument("--short", action="store_true", help="a dozen cases, each on every instruction set")
    parser.add_argument("--only", default="", help="cases whose line holds this text")
    parser.add_argument("--keep", action="store_true", help="keep the files of cases that failed")
    o = parser.parse_args()
    warnings.filterwarnings("ignore")
    os.makedirs(o.folder, exist_ok=True)
    cases = [c for c in (SHORT.strip().split("\n") if o.short else all_cases()) if o.only in c]
    isas, start = tiers(o.dscd), time.time()
    print(f"torch {torch.__version__}, seed {SEED}, {len(cases)} cases; tiers: {' '.join(isas)}", flush=True)
    counts = run_cases(o, cases, isas)
    print(f"{counts['not exported']} not exported by torch itself; {time.time() - start:.0f} s")
    print(f"{counts['passed']} passed, {counts['FAILED']} failed")
    return 0 if counts["FAILED"] == 0 and counts["passed"] > 0 else 1


sys.exit(main())
