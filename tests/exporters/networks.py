# SPDX-License-Identifier: Apache-2.0
# torchvision's networks with seeded weights that keep activations healthy: no weights are downloaded, and what the
# networks say means nothing, but every weight, bias, gamma, beta, mean and variance counts in it.
import torch
import torchvision

NETWORKS = [
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "mnasnet1_0",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
    "regnet_y_400mf",
    "resnet18",
]
SIDE = 64


def images(shape, seed):
    """Waves of several lengths and some noise, each channel of each image with a contrast and a mean of its own."""
    generator = torch.Generator().manual_seed(seed)
    count, channels, height, width = shape
    u = torch.linspace(0, 6.28, height)[:, None]
    v = torch.linspace(0, 6.28, width)[None, :]
    out = torch.empty(shape)
    for i in range(count):
        for c in range(channels):
            a, b, phase, contrast, mean = torch.rand(5, generator=generator)
            wave = torch.sin(u * (1 + 7 * a) + v * (1 + 7 * b) + 6.28 * phase)
            noise = torch.randn(height, width, generator=generator)
            out[i, c] = (0.2 + contrast) * (wave + 0.3 * noise) + mean - 0.5
    return out


def build(name, seed):
    """The network in evaluation mode. Running statistics are those of two batches of images, gammas and betas drawn.

    Betas around 0.5 keep most numbers on the straight side of the activations. With betas around 0 such a network is
    chaotic: it multiplies the roundings of its first layers until torch is 6e-5 from its own answer in doubles.
    """
    torch.manual_seed(seed)
    network = getattr(torchvision.models, name)(weights=None)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0.5, 0.3)
                module.momentum = None  # an average over all batches
                module.reset_running_stats()
            elif isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)) and module.bias is not None:
                module.bias.normal_(0, 0.1)
        network.train()
        for batch in range(2):
            network(images((16, 3, SIDE, SIDE), 1000 * seed + batch))
    return network.eval()
