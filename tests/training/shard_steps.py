"""What the ranks of the classifier's tests do; apart from the tests, so that a process that starts finds it."""

import copy

import numpy as np
import torch
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile

from mien.training.heads.adaface import AdaFace
from mien.training.heads.arcface import ArcFace
from mien.training.heads.classifier import Classifier
from mien.training.heads.combined import CombinedMargin
from mien.training.heads.cosface import CosFace
from mien.training.heads.curricularface import CurricularFace
from mien.training.heads.normface import NormFace
from mien.training.heads.softmax import Softmax
from mien.training.heads.sv_softmax import SVAMSoftmax, SVArcSoftmax, SVSoftmax
from mien.training.losses.center import CenterLoss
from mien.training.sharded import class_rows
from mien.training.sharded.sharded_classifier import ShardedClassifier
from mien.training.sharded.sharding import gather_batch

CLASSES, DIMENSION, BATCH = 37, 16, 29

HEADS = [
    Softmax(),
    NormFace(16.0),
    CosFace(16.0),
    ArcFace(16.0),
    CombinedMargin(16.0),
    CombinedMargin(16.0, factor=1.35, angular=0.0, additive=0.0),
    SVSoftmax(16.0),
    SVAMSoftmax(16.0),
    SVArcSoftmax(16.0),
    CurricularFace(16.0, momentum=0.5),
    AdaFace(16.0, momentum=0.5),
]


def problem(dtype, seed=0):
    """Features, labels and all class weights; labels are near their class, so that margins are at work."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(CLASSES, DIMENSION, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, CLASSES, (BATCH,), generator=generator)
    noise = torch.randn(BATCH, DIMENSION, generator=generator, dtype=torch.float64)
    features = 1.5 * weight[labels] + 2.0 * noise
    return features.to(dtype), labels, weight.to(dtype)


def part_of(batch, rank, ranks):
    """An uneven part of the batch: rank 0 of three takes a half."""
    ends = {1: [0, batch], 2: [0, batch // 3, batch], 3: [0, batch // 2, batch // 2 + 1, batch]}[ranks]
    return slice(ends[rank], ends[rank + 1])


def full_layer(head, dtype, steps):
    """Losses, gradients and statistics of the plain layer over some micro-batches."""
    layer = Classifier(DIMENSION, CLASSES, copy.deepcopy(head)).to(dtype)
    gradients, losses = [], []
    for step in range(steps):
        features, labels, weight = problem(dtype, step)
        if step == 0:
            layer.weight.data.copy_(weight)
        features.requires_grad_()
        loss = functional.cross_entropy(layer(features, labels), labels)
        loss.backward()
        losses.append(loss.item())
        gradients.append(features.grad)
    return {
        "losses": losses,
        "features": gradients,
        "weight": layer.weight.grad,
        "bias": None if layer.bias is None else layer.bias.grad,
        "head": dict(layer.head.state_dict()),
    }


def sharded_layers(rank, ranks, dtype, steps):
    """The same by shards, for every head."""
    results = []
    for head in HEADS:
        layer = ShardedClassifier(DIMENSION, CLASSES, copy.deepcopy(head)).to(dtype)
        gradients, losses = [], []
        for step in range(steps):
            features, labels, weight = problem(dtype, step)
            if step == 0:
                layer.weight.data.copy_(weight[layer.shard.first : layer.shard.last])
            part = part_of(BATCH, rank, ranks)
            own = features[part].requires_grad_()
            loss = layer(own, labels[part])
            loss.backward()
            losses.append(loss.item())
            gradients.append(own.grad)
        results.append(
            {
                "losses": losses,
                "features": gradients,
                "weight": layer.weight.grad,
                "bias": None if layer.bias is None else layer.bias.grad,
                "head": dict(layer.head.state_dict()),
            }
        )
    return results


def sampled_layer(rank, ranks, dtype):
    """Losses, drawn rows and gradients of three steps of a sampled classifier."""
    layer = ShardedClassifier(DIMENSION, CLASSES, CurricularFace(16.0), rate=0.3, seed=5).to(dtype)
    losses, gradients = [], []
    for step in range(3):
        features, labels, weight = problem(dtype, step)
        layer.weight.data.copy_(weight[layer.shard.first : layer.shard.last])
        layer.weight.grad = None
        part = part_of(BATCH, rank, ranks)
        own = features[part].requires_grad_()
        loss = layer(own, labels[part])
        loss.backward()
        losses.append(loss.item())
        gradients.append((own.grad, layer.weight.grad))
    return losses, gradients


def averaged_gradient(rank, ranks):
    """The features' gradient for a network under DistributedDataParallel."""
    features, labels, weight = problem(torch.float64)
    layer = ShardedClassifier(DIMENSION, CLASSES, CosFace(16.0), averaged=True).double()
    layer.weight.data.copy_(weight[layer.shard.first : layer.shard.last])
    part = part_of(BATCH, rank, ranks)
    own = features[part].requires_grad_()
    layer(own, labels[part]).backward()
    return own.grad


def initial_weight(rank, classes):
    return ShardedClassifier(3, classes, CosFace(), seed=2).weight.detach()


def allocated(rank, make, classes, dimension, batch, size):
    """Bytes that a training step has at once at most, and bytes that stay as gradients."""
    class_rows._SLAB_ELEMENTS["cpu"] = 1 << 16  # as small beside these tables as the real one beside real tables
    layer = make(dimension, classes)
    features = torch.randn(batch, dimension, requires_grad=True)
    labels = torch.arange(batch) * 7 % classes

    def step():
        part = slice(batch * rank // size, batch * (rank + 1) // size)
        result = layer(features[part], labels[part])
        (result if result.ndim == 0 else functional.cross_entropy(result, labels)).backward()

    step()
    layer.zero_grad()
    features.grad = None
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        step()
    events = [event for event in record.profiler.kineto_results.events() if event.name() == "[memory]"]
    at_once = np.cumsum([event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())])
    return int(at_once.max()), int(at_once[-1]), sum(value.nbytes for value in layer.parameters())


class LinearLogits(torch.nn.Module):
    """The plain layer at its leanest: no bias, no normalization, no margin."""

    def __init__(self, dimension, classes):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(classes, dimension))

    def forward(self, features, labels):
        return functional.linear(features, self.weight)


def sharded_layer(dimension, classes):
    return ShardedClassifier(dimension, classes, CosFace())


def sampled_tenth(dimension, classes):
    return ShardedClassifier(dimension, classes, CosFace(), rate=0.1)


def centres_of_ranks(rank, ranks):
    """Centres after two steps with a part of the batch each."""
    loss = CenterLoss(DIMENSION, CLASSES).double()
    for step in range(2):
        features, labels, _ = problem(torch.float64, step)
        part = part_of(BATCH, rank, ranks)
        loss(features[part], labels[part])
    return loss.centres


def gathered(rank, ranks):
    """A batch gathered from parts of which one is empty, and the gradient that comes back."""
    own = (torch.arange(rank * 2, dtype=torch.float64)[:, None] + 10 * rank).requires_grad_()
    features, labels = gather_batch(own, torch.full((rank * 2,), rank), None, 2.0)
    (features * torch.arange(1.0, 1 + len(features))[:, None]).sum().backward()
    return features.detach(), labels, own.grad
