#!/usr/bin/env python3
"""The half of PyTorch in the round trip of PyTorchRoundTripTests: python3 pytorch_round_trip.py FOLDER

There: every FOLDER/NAME.pt, a state dict that the library wrote, is loaded into the layer that NAME.npz describes, and what the layer gives is compared with what the library gave.
Back: the layer gets new weights, and its state dict and outputs are written to FOLDER/NAME.back.pt and NAME.back.npz for the library.
Prints the largest relative difference, |a - b| / (1 + |b|), and the name of its case.
"""

import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def make(facts):
    kind, layers, directions, inputs, hidden, projection, bias = facts
    options = dict(num_layers=int(layers), bidirectional=bool(directions == 2), bias=bool(bias), batch_first=True)
    if kind == 0:
        return nn.LSTM(int(inputs), int(hidden), proj_size=int(projection), **options)
    if kind == 1:
        return nn.GRU(int(inputs), int(hidden), **options)
    return nn.RNN(int(inputs), int(hidden), nonlinearity="tanh" if kind == 2 else "relu", **options)


def run(layer, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, state = layer(packed)
    output, _ = pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])
    return output.detach().numpy(), (state[0] if isinstance(state, tuple) else state).detach().numpy()


def main(folder):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    worst, where = 0.0, "none"
    for path in sorted(folder.glob("*.pt")):
        if path.name.endswith(".back.pt"):
            continue
        given = numpy.load(path.with_suffix(".npz"))
        layer = make(given["facts"])
        layer.load_state_dict(torch.load(path))
        x, lengths = torch.from_numpy(given["x"]), torch.from_numpy(given["lengths"]).long()
        for name, value in zip(["output", "hidden"], run(layer, x, lengths)):
            error = float(numpy.max(numpy.abs(value - given[name]) / (1 + numpy.abs(value)), initial=0))
            if not error <= worst:
                worst, where = error, f"{path.stem} {name}"
        layer.reset_parameters()
        torch.save(layer.state_dict(), path.with_suffix(".back.pt"))
        output, hidden = run(layer, x, lengths)
        numpy.savez(path.with_suffix(".back.npz"), output=output, hidden=hidden)
    print(f"worst {worst:.3g} in {where}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
