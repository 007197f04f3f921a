#!/usr/bin/env python3
"""Writes the golden values of this folder from PyTorch: python3 tests/Rnn.Tests/Golden/write_golden.py

Needs PyTorch (written with 1.13) and NumPy. Every case is computed in float64. What goes in (parameters, inputs, initial states,
loss weights) lies on a grid of 1/2048 within (-1, 1): such numbers are exact in float16, float32 and float64, so they are stored as
float16 and a float32 test starts from the very same values. What comes out is stored as float64.

cases.json           the recurrent cases, one a line: kind, sizes, lengths, file
<kind>.safetensors   their tensors, named case/x, case/weight_ih_l0, case/output, case/grad.weight_ih_l0, ...
training.safetensors 20 steps of truncated backpropagation through time with SGD, clipping and carried state
losses.safetensors   embedding, linear layer and losses
"""

import json
import pathlib
import struct
import zlib

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FOLDER = pathlib.Path(__file__).parent
KINDS = ["rnn_tanh", "rnn_relu", "lstm", "lstm_projection", "gru"]

# Batch, steps, input size, hidden size, projection size, lengths of the ragged form.
SIZES = [
    (3, 6, 5, 7, 3, [4, 1, 6]),
    (5, 9, 3, 4, 3, [1, 9, 5, 9, 2]),
    (3, 6, 3, 7, 5, [1, 6, 3]),
    (5, 6, 5, 4, 2, [3, 6, 1, 6, 2]),
]

# Layers, directions, batch, steps, input size, hidden size, projection size, lengths, whether initial states are given.
LARGER = [
    (1, 1, 1, 1, 3, 4, 3, None, False),
    (1, 1, 1, 9, 17, 19, 3, None, True),
    (1, 2, 5, 6, 17, 19, 5, [5, 6, 1, 2, 6], True),
    (2, 1, 3, 9, 3, 13, 11, [9, 1, 7], False),
]


def grid(generator, *shape, limit=1.0):
    """Random numbers on the grid of 1/2048 within (-limit, limit)."""
    bound = int(2048 * limit) - 1
    return torch.randint(-bound, bound + 1, shape, generator=generator).double() / 2048


def seeded(name):
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def write(path, tensors):
    """A safetensors file: header length, JSON header, raw little-endian data."""
    header, chunks, offset = {}, [], 0
    for name, (tensor, kind) in tensors.items():
        tensor = tensor.detach()
        values = {"F16": tensor.half, "F64": tensor.double, "I32": tensor.int}[kind]()
        if kind == "F16":
            assert torch.equal(values.double(), tensor.double()), f"{name} is not exact in float16"
        data = values.contiguous().numpy().tobytes()
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [offset, offset + len(data)]}
        chunks.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size} bytes")


def make_layer(kind, layers, directions, inputs, hidden, projection):
    options = dict(num_layers=layers, bidirectional=directions == 2, batch_first=True)
    if kind == "gru":
        layer = nn.GRU(inputs, hidden, **options)
    elif kind == "lstm":
        layer = nn.LSTM(inputs, hidden, **options)
    elif kind == "lstm_projection":
        layer = nn.LSTM(inputs, hidden, proj_size=projection, **options)
    else:
        layer = nn.RNN(inputs, hidden, nonlinearity=kind.removeprefix("rnn_"), **options)
    return layer.double()


def fill(module, generator, limit=1.0):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(grid(generator, *parameter.shape, limit=limit))


def recurrent_case(name, kind, layers, directions, batch, steps, inputs, hidden, projection, lengths, state):
    generator = seeded(name)
    layer = make_layer(kind, layers, directions, inputs, hidden, projection)
    fill(layer, generator, limit=0.5 if hidden > 10 or kind == "rnn_relu" else 0.75)
    is_lstm = kind.startswith("lstm")
    visible = projection if kind == "lstm_projection" else hidden
    x = grid(generator, batch, steps, inputs).requires_grad_()
    h0 = grid(generator, layers * directions, batch, visible).requires_grad_() if state else None
    c0 = grid(generator, layers * directions, batch, hidden).requires_grad_() if state and is_lstm else None
    initial = None if not state else (h0, c0) if is_lstm else h0
    given = x if lengths is None else pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    output, final = layer(given, initial)
    if lengths is not None:
        output, _ = pad_packed_sequence(output, batch_first=True, total_length=steps)
    h_n, c_n = final if is_lstm else (final, None)

    tensors = {"x": (x, "F16")}
    results = {"output": output, "h_n": h_n}
    leaves = {"x": x}
    if state:
        tensors["h0"], leaves["h0"] = (h0, "F16"), h0
    if is_lstm:
        results["c_n"] = c_n
        if state:
            tensors["c0"], leaves["c0"] = (c0, "F16"), c0
    loss = 0
    for key, value in results.items():
        weight = grid(generator, *value.shape)
        loss = loss + (weight * value).sum()
        tensors[f"loss.{key}"] = (weight, "F16")
    loss.backward()
    for key, parameter in layer.named_parameters():
        tensors[key] = (parameter, "F16")
    for key, value in results.items():
        tensors[key] = (value, "F64")
    for key, leaf in list(leaves.items()) + list(layer.named_parameters()):
        # Outside of a reset-after GRU both biases of PyTorch have the same gradient.
        if "bias_hh" in key and kind != "gru":
            twin = dict(layer.named_parameters())[key.replace("_hh_", "_ih_")]
            assert torch.allclose(leaf.grad, twin.grad, rtol=1e-13, atol=1e-15)
            continue
        tensors[f"grad.{key}"] = (leaf.grad, "F64")
    return {f"{name}/{key}": value for key, value in tensors.items()}


def write_recurrent():
    cases = []
    for number, kind in enumerate(KINDS):
        plans, tensors = [], {}
        turn = number
        for layers in (1, 2, 3):
            for directions in (1, 2):
                for ragged in (False, True):
                    batch, steps, inputs, hidden, projection, lengths = SIZES[turn % len(SIZES)]
                    state = (layers + directions + ragged + number) % 2 == 0
                    plans.append((layers, directions, batch, steps, inputs, hidden, projection, lengths if ragged else None, state))
                    turn += 1
        for layers, directions, batch, steps, inputs, hidden, projection, lengths, state in plans + LARGER:
            parts = [kind, f"{layers}layer", "both" if directions == 2 else "one", "ragged" if lengths else "full"]
            parts += ["given" if state else "zero", f"n{batch}t{steps}i{inputs}h{hidden}"]
            name = "_".join(parts)
            plan = dict(
                name=name, kind=kind, layers=layers, directions=directions, batch=batch, steps=steps, inputs=inputs, hidden=hidden,
                projection=projection if kind == "lstm_projection" else 0, lengths=lengths, state=state)
            assert name not in [case["name"] for case in cases]
            cases.append(plan)
            tensors |= recurrent_case(name, kind, layers, directions, batch, steps, inputs, hidden, projection, lengths, state)
        write(FOLDER / f"{kind}.safetensors", tensors)
    lines = ",\n".join("  " + json.dumps(case) for case in cases)
    (FOLDER / "cases.json").write_text(f"[\n{lines}\n]\n")
    print(f"cases.json: {len(cases)} cases")


def write_training():
    """Two LSTM layers learn windows of a token stream; PyTorch's second bias stays zero, so that there is one bias a gate."""
    vocabulary, embedded, hidden, batch, window, steps = 11, 8, 16, 4, 5, 20
    rate, max_norm = 2.0, 0.3
    generator = seeded("training")
    embedding = nn.Embedding(vocabulary, embedded).double()
    lstm = nn.LSTM(embedded, hidden, num_layers=2, batch_first=True).double()
    head = nn.Linear(hidden, vocabulary).double()
    model = nn.ModuleDict(dict(embedding=embedding, lstm=lstm, head=head))
    fill(model, generator, limit=0.4)
    for name, parameter in lstm.named_parameters():
        if "bias_hh" in name:
            nn.init.zeros_(parameter)
            parameter.requires_grad = False
    # A stream with something to learn: each token follows from the one before by a fixed rule, with a little noise.
    rule = torch.randint(0, vocabulary, (vocabulary,), generator=generator)
    tokens = torch.randint(0, vocabulary, (batch, window * steps + 1), generator=generator)
    for t in range(1, tokens.shape[1]):
        keep = torch.rand(batch, generator=generator) < 0.8
        tokens[:, t] = torch.where(keep, rule[(tokens[:, t - 1] + t % 3) % vocabulary], tokens[:, t])

    tensors = {"tokens": (tokens, "I32")}
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    tensors |= {f"initial.{name}": (p.clone(), "F16") for name, p in trained.items()}
    optimizer = torch.optim.SGD(trained.values(), lr=rate)
    state, losses, norms = None, [], []
    for step in range(steps):
        span = tokens[:, step * window:(step + 1) * window + 1]
        output, state = lstm(embedding(span[:, :-1]), state)
        state = tuple(s.detach() for s in state)
        loss = functional.cross_entropy(head(output).reshape(-1, vocabulary), span[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        norm = clip_grad_norm_(list(trained.values()), max_norm)
        optimizer.step()
        losses.append(loss.item())
        norms.append(norm.item())
    print("losses", [round(v, 4) for v in losses])
    print("norms ", [round(v, 4) for v in norms])
    tensors["learning_rate"] = (torch.tensor([rate], dtype=torch.float64), "F64")
    tensors["max_norm"] = (torch.tensor([max_norm], dtype=torch.float64), "F64")
    tensors["losses"] = (torch.tensor(losses, dtype=torch.float64), "F64")
    tensors["norms"] = (torch.tensor(norms, dtype=torch.float64), "F64")
    tensors["final.h"], tensors["final.c"] = (state[0], "F64"), (state[1], "F64")
    tensors |= {f"final.{name}": (p, "F64") for name, p in trained.items()}
    write(FOLDER / "training.safetensors", tensors)


def write_losses():
    generator = seeded("losses")
    tensors = {}

    # Tokens, some repeated, through an embedding and a linear layer into cross-entropy.
    vocabulary, embedded, classes = 13, 5, 7
    embedding = nn.Embedding(vocabulary, embedded).double()
    linear = nn.Linear(embedded, classes).double()
    fill(embedding, generator)
    fill(linear, generator)
    tokens = torch.randint(0, vocabulary, (3, 9), generator=generator)
    labels = torch.randint(0, classes, (3, 9), generator=generator)
    logits = linear(embedding(tokens))
    loss = functional.cross_entropy(logits.reshape(-1, classes), labels.reshape(-1))
    loss.backward()
    tensors |= {
        "pieces/tokens": (tokens, "I32"), "pieces/labels": (labels, "I32"), "pieces/logits": (logits, "F64"), "pieces/loss": (loss, "F64")}
    for prefix, module in (("embedding", embedding), ("linear", linear)):
        for name, parameter in module.named_parameters():
            tensors[f"pieces/{prefix}.{name}"] = (parameter, "F16")
            tensors[f"pieces/grad.{prefix}.{name}"] = (parameter.grad, "F64")

    # Losses of 17 rows of 7 logits, spread so that softmax and sigmoid saturate here and there.
    logits = (grid(generator, 17, classes) * 16).requires_grad_()
    labels = torch.randint(0, classes, (17,), generator=generator)
    ignored = torch.where(torch.arange(17) % 4 == 1, torch.tensor(-100), labels)
    weights = grid(generator, classes).abs() + 0.25
    zeros_and_ones = (grid(generator, 17, classes) > 0).double()
    targets = grid(generator, 17, classes) * 16
    tensors |= {
        "inputs/logits": (logits, "F16"), "inputs/labels": (labels, "I32"), "inputs/ignored": (ignored, "I32"),
        "inputs/class_weights": (weights, "F64"), "inputs/zeros_and_ones": (zeros_and_ones, "F16"), "inputs/targets": (targets, "F16")}
    losses = {
        "cross_entropy": lambda r: functional.cross_entropy(logits, labels, reduction=r),
        "cross_entropy_ignored": lambda r: functional.cross_entropy(logits, ignored, ignore_index=-100, reduction=r),
        "cross_entropy_smoothed": lambda r: functional.cross_entropy(logits, labels, label_smoothing=0.1, reduction=r),
        "cross_entropy_weighted": lambda r: functional.cross_entropy(logits, labels, weight=weights, reduction=r),
        "cross_entropy_all": lambda r: functional.cross_entropy(
            logits, ignored, weight=weights, label_smoothing=0.1, ignore_index=-100, reduction=r),
        "binary_cross_entropy": lambda r: functional.binary_cross_entropy_with_logits(logits, zeros_and_ones, reduction=r),
        "mean_squared_error": lambda r: functional.mse_loss(logits, targets, reduction=r),
        "mean_absolute_error": lambda r: functional.l1_loss(logits, targets, reduction=r),
        "huber": lambda r: functional.huber_loss(logits, targets, delta=1.5, reduction=r),
    }
    for name, function in losses.items():
        for reduction in ("mean", "sum"):
            loss = function(reduction)
            gradient, = torch.autograd.grad(loss, logits)
            tensors[f"{name}/{reduction}"] = (loss, "F64")
            tensors[f"{name}/{reduction}.grad"] = (gradient, "F64")
    write(FOLDER / "losses.safetensors", tensors)


if __name__ == "__main__":
    torch.set_num_threads(1)
    write_recurrent()
    write_training()
    write_losses()
