#!/usr/bin/env python3
"""Writes the files of other libraries of this folder: python3 tests/Rnn.Tests/Golden/write_formats.py

Needs PyTorch (written with 1.13) and NumPy. Every tensor is made by one rule, which the tests repeat: element i in row-major order is
(i * 37 % 101 - 50) / 8 in floating-point types, i * 37 % 101 - 50 in signed and i * 37 % 101 in unsigned whole numbers, and whether i is odd in truth values.

arrays.npz           numpy.savez: every type, both orders, both orders of bytes, versions 1.0 to 3.0 of the header
arrays_deflated.npz  the same by numpy.savez_compressed
column.npy           one array in Fortran order
state.pt             torch.save of a dictionary of tensors of every type, views and shared storages among them
state_legacy.pt      the same in the format before PyTorch 1.6
state_protocol4.pt   the same with pickle protocol 4
plain.pt             torch.save of one tensor
module.pt            torch.save of a whole module, which is refused
layers.pt            the state dict of a model of every kind of layer
layers.npz           the same as arrays, with an input, what the model gives for it, and the same of single cells
"""

import collections
import io
import pathlib
import zipfile

import numpy
import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent


def numbers(kind, *shape):
    i = numpy.arange(int(numpy.prod(shape, dtype=numpy.int64))).reshape(shape) * 37 % 101
    kind = numpy.dtype(kind)
    if kind.kind == "b":
        return numpy.arange(i.size).reshape(shape) % 2 == 1
    return ((i - 50) / 8 if kind.kind in "fc" else i - 50 if kind.kind == "i" else i).astype(kind)


def arrays():
    found = {}
    for kind in ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8", "i1", "<i2", ">i4", "<i8", "u1", ">u2", "<u4", "<u8", "?"]:
        found[f"row{kind}"] = numbers(kind, 2, 3, 5)
        found[f"column{kind}"] = numpy.asfortranarray(numbers(kind, 4, 3, 2))
    found["scalar"] = numbers("<f4")
    found["vector"] = numpy.asfortranarray(numbers("<f8", 7))
    found["empty"] = numbers("<f4", 0, 3)
    found["text"] = numpy.array(["a", "bcd"])
    found["complex"] = numbers("<c8", 3)
    found["record"] = numpy.zeros(2, dtype=[("a", "<f4"), ("b", "<i4", (2,))])
    return found


def write_arrays():
    numpy.savez(FOLDER / "arrays.npz", **arrays())
    numpy.savez_compressed(FOLDER / "arrays_deflated.npz", **arrays())
    with zipfile.ZipFile(FOLDER / "arrays.npz", "a") as archive:
        for version in [(1, 0), (2, 0), (3, 0)]:
            member = io.BytesIO()
            numpy.lib.format.write_array(member, numbers("<f4", 3, 2), version=version)
            archive.writestr(f"version{version[0]}.npy", member.getvalue())
    numpy.save(FOLDER / "column.npy", numpy.asfortranarray(numbers("<f4", 3, 4)))


def tensor(kind, *shape):
    sign = {torch.uint8: "u1", torch.bool: "?"}.get(kind, "i8" if not kind.is_floating_point else "f8")
    return torch.tensor(numpy.array(numbers(sign, *shape))).to(kind)


def state():
    base = tensor(torch.float32, 6, 5)
    parameter = nn.Parameter(tensor(torch.float32, 3, 2))
    kinds = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]
    values = collections.OrderedDict((str(kind).split(".")[1], tensor(kind, 3, 4)) for kind in kinds)
    values["base"] = base
    values["transposed"] = base.t()
    values["tail"] = base[2:]
    values["steps"] = base[1::2, ::2]
    values["scalar"] = tensor(torch.float32)
    values["empty"] = tensor(torch.float32, 0, 3)
    values["parameter"] = parameter
    values["expanded"] = tensor(torch.float32, 4).expand(3, 4)
    values["permuted"] = tensor(torch.float64, 2, 3, 4).permute(2, 0, 1)
    nested = {"model": values, "list": [tensor(torch.float32, 2), (tensor(torch.float32, 3), 7)], "epoch": 12, "rate": 0.125, "name": "größe", "done": True, "none": None,
              3: tensor(torch.float32, 1), "big": 1 << 70, "size": torch.Size([2, 3])}
    return nested


def write_state():
    torch.save(state(), FOLDER / "state.pt")
    torch.save(state(), FOLDER / "state_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(state(), FOLDER / "state_protocol4.pt", pickle_protocol=4)
    torch.save(tensor(torch.float32, 2, 3), FOLDER / "plain.pt")
    torch.save(nn.Linear(2, 2), FOLDER / "module.pt")


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.convolution = nn.Conv1d(4, 5, 3, dilation=2)
        self.norm = nn.LayerNorm(5)
        self.lstm = nn.LSTM(5, 6, num_layers=2, bidirectional=True, batch_first=True, proj_size=3)
        self.gru = nn.GRU(6, 4, batch_first=True)
        self.rnn = nn.RNN(4, 3, nonlinearity="relu", bias=False, batch_first=True)
        self.head = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2, bias=False))

    def forward(self, tokens):
        x = self.embedding(tokens).transpose(1, 2)
        x = self.convolution(nn.functional.pad(x, (4, 0))).transpose(1, 2)
        x = self.rnn(self.gru(self.lstm(self.norm(x))[0])[0])[0]
        return self.head(x)


def write_layers():
    torch.manual_seed(1)
    model = Model()
    tokens = torch.randint(0, 7, (2, 5))
    found = {name: value.numpy() for name, value in model.state_dict().items()}
    found |= {"tokens": tokens.numpy(), "output": model(tokens).detach().numpy()}
    x, h, c = torch.randn(3, 4), torch.randn(3, 5), torch.randn(3, 5)
    found |= {"x": x.numpy(), "h": h.numpy(), "c": c.numpy()}
    for name, cell, given in [("lstm", nn.LSTMCell(4, 5), (h, c)), ("gru", nn.GRUCell(4, 5), h), ("rnn", nn.RNNCell(4, 5), h)]:
        result = cell(x, given)
        found[f"cell.{name}.output"] = (result[0] if name == "lstm" else result).detach().numpy()
        found |= {f"cell.{name}.{key}": value.numpy() for key, value in cell.state_dict().items()}
    torch.save(model.state_dict(), FOLDER / "layers.pt")
    numpy.savez(FOLDER / "layers.npz", **found)


if __name__ == "__main__":
    write_arrays()
    write_state()
    write_layers()
    for path in sorted([*FOLDER.glob("*.pt"), *FOLDER.glob("*.np[yz]")]):
        print(path.name, path.stat().st_size, "bytes")
