"""torch modules as graphs: weights like those of trained networks, and both of torch's exporters."""

import contextlib
import inspect
import io
import warnings

import numpy as np
import torch

torch.backends.mha.set_fastpath_enabled(False)  # a fused operator that the old exporter does not know

EXPORTERS = {"dynamo": dict(dynamo=True), "legacy": dict(dynamo=False)}


def tensors(sample):
    return {name: torch.from_numpy(np.array(array)) for name, array in sample.items()}


def like_trained(module, draw, seed=0):
    """Gives channels different strengths."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for part in module.modules():
            weight = getattr(part, "weight", None)
            if isinstance(part, (torch.nn.LayerNorm, torch.nn.GroupNorm, torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
                if weight is not None:
                    weight.mul_(torch.exp(0.3 * torch.randn_like(weight)))
                    part.bias.add_(0.2 * torch.randn_like(part.bias))
            elif isinstance(part, (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d)):
                gain = torch.exp(0.3 * torch.randn(weight.shape[0], *[1] * (weight.dim() - 1)))
                fan_in = weight[0].numel()
                weight.mul_(gain * 1.2 / (weight.std() * fan_in**0.5 + 1e-9))
                if part.bias is not None:
                    part.bias.normal_(0, 0.1)
    settle(module, draw)


def settle(module, draw):
    """Gives BatchNormalizations the statistics of their data."""
    normalizations = [m for m in module.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    module.eval()
    for m in normalizations:
        m.momentum = 0.2
        m.train()
    for i in range(20 if normalizations else 0):
        parts = [draw(np.random.default_rng([3, i, j])) for j in range(4)]
        with torch.no_grad():
            module(*tensors({name: np.concatenate([p[name] for p in parts]) for name in parts[0]}).values())
    module.eval()


def takes_any(function):
    """Whether a function is `f(*arguments)`."""
    return any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(function).parameters.values())


def export(folder, module, draw, exporter, opset=18, dynamic=(), outputs=None, train=True, order=None):
    """Writes `module` to `folder/model.onnx`; `dynamic`: (input, axis) pairs of free size. Returns `draw`."""
    if train:
        like_trained(module, draw)
    module.eval()
    example = tensors(draw(np.random.default_rng(9)))
    names = order or list(example)
    axes = {}
    for name, axis in dynamic:
        axes.setdefault(name, {})[axis] = f"axis_{axis}"
    options = dict(EXPORTERS[exporter], opset_version=opset, input_names=names, output_names=outputs)
    if exporter == "dynamo" and axes:
        shapes = tuple({a: torch.export.Dim.DYNAMIC for a in axes.get(name, {})} for name in names)
        options["dynamic_shapes"] = (shapes,) if takes_any(module.forward) else shapes
    elif axes:
        options["dynamic_axes"] = axes
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, tuple(example[name] for name in names), str(folder / "model.onnx"), **options)
    return draw
