"""Models as torch.onnx.export writes them, with inputs and PyTorch's outputs: torch_models.py FOLDER [NAME...]

Each model is NAME.onnx; NAME.0.npz, NAME.1.npz, … hold inputs ("in.x") and outputs ("out.y") of several sizes. Every
dimension that depends on the batch (n) or the time (t) is a dynamic axis. Needs torch 1.13 or later, onnx and numpy.
"""
import math
import os
import sys
import warnings
from typing import List, Optional, Tuple

import numpy
import torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")
MODELS = {}


class Model:
    def __init__(self, module, inputs, opset=13, script=False, sizes=((2, 5), (3, 9), (1, 4)), double=False, fold=True, gradients=False):
        self.module, self.inputs, self.opset, self.script, self.sizes, self.double, self.fold, self.gradients = (
            module, inputs, opset, script, sizes, double, fold, gradients)

    def args(self, n, t, seed):
        torch.manual_seed(seed)
        values = {name: make(n, t) for name, make in self.inputs.items()}
        return {name: value.double() if self.double and value.is_floating_point() else value for name, value in values.items()}


def add(name, module, opset=13, **arguments):
    options = {key: arguments.pop(key) for key in ("script", "sizes", "double", "fold", "gradients") if key in arguments}
    MODELS[name] = Model(module, arguments, opset, **options)


def flat(result):
    if torch.is_tensor(result):
        return [result]
    return [tensor for part in result for tensor in flat(part)]


def axes(first, second):
    return {axis: f"d{axis}" for axis, (a, b) in enumerate(zip(first.shape, second.shape)) if a != b}


def export(folder, name, model):
    torch.manual_seed(len(name))
    module = model.module().eval()
    for parameter in module.parameters():
        if parameter.dim() == 1:
            nn.init.uniform_(parameter, -0.5, 0.5)
    for key, buffer in module.named_buffers():
        if buffer.is_floating_point() and "running" in key:
            nn.init.uniform_(buffer, 0.5, 1.5)
    module = module.double() if model.double else module
    module = torch.jit.script(module) if model.script else module
    with torch.enable_grad() if model.gradients else torch.no_grad():
        args, other = model.args(*model.sizes[0], 1), model.args(*model.sizes[1], 2)
        outputs, others = flat(module(*args.values())), flat(module(*other.values()))
        names = [f"y{i}" for i in range(len(outputs))]
        dynamic = {key: axes(args[key], other[key]) for key in args}
        dynamic.update({key: axes(a, b) for key, a, b in zip(names, outputs, others)})
        path = os.path.join(folder, f"{name}.onnx")
        torch.onnx.export(
            module, tuple(args.values()), path, input_names=list(args), output_names=names, opset_version=model.opset,
            dynamic_axes={key: value for key, value in dynamic.items() if value}, do_constant_folding=model.fold)
        for i, (n, t) in enumerate(model.sizes):
            args = model.args(n, t, 10 + i)
            values = {f"in.{key}": value.detach().numpy() for key, value in args.items()}
            values.update({f"out.{key}": value.detach().numpy() for key, value in zip(names, flat(module(*args.values())))})
            numpy.savez(os.path.join(folder, f"{name}.{i}.npz"), **values)


def batch_time(width):
    return lambda n, t: torch.randn(n, t, width)


def time_batch(width):
    return lambda n, t: torch.randn(t, n, width)


def state(layers, width):
    return lambda n, t: torch.randn(layers, n, width)


def tokens(count):
    return lambda n, t: torch.randint(0, count, (n, t))


def lengths(n, t):
    return torch.tensor(sorted([t] + [1 + (i * 3) % t for i in range(n - 1)], reverse=True))


# Recurrent layers of every form.


class Lstm(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.net = nn.LSTM(5, 6, **options)

    def forward(self, x, h: Optional[torch.Tensor] = None, c: Optional[torch.Tensor] = None):
        return self.net(x) if h is None else self.net(x, (h, c))


class Gru(nn.Module):
    def __init__(self, kind=nn.GRU, **options):
        super().__init__()
        self.net = kind(5, 6, **options)

    def forward(self, x, h=None):
        return self.net(x, h)


class Scripted(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)[0]


def recurrent():
    opset = 9
    for layers in (1, 2, 3):
        for both in (False, True):
            for first in (False, True):
                for given in (False, True):
                    options = dict(num_layers=layers, bidirectional=both, batch_first=first, bias=layers != 3)
                    x = (batch_time if first else time_batch)(5)
                    h = state(layers * (2 if both else 1), 6)
                    tail = f"{layers}{'_both' if both else ''}{'_first' if first else ''}{'_given' if given else ''}"
                    add(f"lstm{tail}_{opset}", lambda o=options: Lstm(**o), opset, x=x, **(dict(h=h, c=h) if given else {}))
                    opset = opset + 1 if opset < 17 else 9
                    add(f"gru{tail}_{opset}", lambda o=options: Gru(**o), opset, x=x, **(dict(h=h) if given else {}))
                    opset = opset + 1 if opset < 17 else 9
                    relu = dict(options, nonlinearity="relu" if both else "tanh")
                    add(f"rnn{tail}_{opset}", lambda o=relu: Gru(nn.RNN, **o), opset, x=x, **(dict(h=h) if given else {}))
                    opset = opset + 1 if opset < 17 else 9
    add("lstm_projection", lambda: Lstm(proj_size=3), x=time_batch(5))
    add("lstm_double", lambda: Lstm(num_layers=2, bidirectional=True), x=time_batch(5), double=True)
    add("gru_double", lambda: Gru(num_layers=2, bidirectional=True), x=time_batch(5), double=True)
    add("rnn_double", lambda: Gru(nn.RNN), x=time_batch(5), double=True)
    add("lstm_unfolded", lambda: Lstm(num_layers=2, bidirectional=True), x=time_batch(5), fold=False)
    add("lstm_scripted", lambda: Scripted(nn.LSTM(5, 6, num_layers=2, batch_first=True)), x=batch_time(5), script=True)
    add("gru_scripted", lambda: Scripted(nn.GRU(5, 6, num_layers=2, bidirectional=True)), x=time_batch(5), script=True)


# Whole models.


class Classifier(nn.Module):
    def __init__(self, kind=nn.LSTM, pool="last"):
        super().__init__()
        self.pool = pool
        self.embedding = nn.Embedding(11, 5, padding_idx=0)
        self.net = kind(5, 6, batch_first=True, bidirectional=True, num_layers=2, dropout=0.3)
        self.head = nn.Sequential(nn.LayerNorm(12), nn.Dropout(0.2), nn.Linear(12, 7), nn.GELU(), nn.Linear(7, 3))

    def forward(self, x):
        y, state = self.net(self.embedding(x))
        h = state[0] if isinstance(state, tuple) else state
        if self.pool == "last":
            y = torch.cat((h[-2], h[-1]), 1)
        elif self.pool == "max":
            y = y.max(1)[0]
        elif self.pool == "mean":
            mask = (x != 0).unsqueeze(-1).float()
            y = (y * mask).sum(1) / mask.sum(1).clamp(min=1e-6)
        elif self.pool == "adaptive":
            y = F.adaptive_max_pool1d(y.transpose(1, 2), 1).squeeze(-1)
        else:
            y = torch.cat([F.avg_pool1d(y.transpose(1, 2), 2, stride=1).mean(-1)], -1)
        return F.log_softmax(self.head(y), -1)


class Packed(nn.Module):
    def __init__(self, kind=nn.LSTM, enforce=True, **options):
        super().__init__()
        self.enforce = enforce
        self.embedding = nn.Embedding(11, 5)
        self.net = kind(5, 6, batch_first=True, **options)
        self.head = nn.Linear(12 if options.get("bidirectional") else 6, 4)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(x), lengths, batch_first=True, enforce_sorted=self.enforce)
        y, h = self.net(packed)
        y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
        h = h[0] if isinstance(h, tuple) else h
        return self.head(y), h


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.letters = nn.Embedding(11, 5), nn.Embedding(7, 3)
        self.conv = nn.Conv1d(3, 4, 3, padding=1)
        self.net = nn.GRU(9, 6, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, 4)

    def forward(self, x, letters):
        n, t, k = letters.shape
        c = self.letters(letters.view(n * t, k)).transpose(1, 2)
        c = F.relu(self.conv(c)).max(2)[0].view(n, t, -1)
        scores = self.head(self.net(torch.cat([self.words(x), c], -1))[0])
        return scores, scores.argmax(-1), torch.softmax(scores, -1).max(-1)


class GruStep(nn.Module):
    """A cell of linear layers: PyTorch does not export its own GRUCell from a script."""

    def __init__(self, size=5):
        super().__init__()
        self.x2h, self.h2h = nn.Linear(size, 18), nn.Linear(6, 18)

    def forward(self, x, h):
        a, b = self.x2h(x).chunk(3, 1), self.h2h(h).chunk(3, 1)
        r, z = torch.sigmoid(a[0] + b[0]), torch.sigmoid(a[1] + b[1])
        return (1 - z) * torch.tanh(a[2] + r * b[2]) + z * h


class CellLoop(nn.Module):
    """A list of outputs, as everybody writes it."""

    def __init__(self, kind=nn.LSTMCell):
        super().__init__()
        self.cell = nn.LSTMCell(5, 6)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        h = torch.zeros(x.size(0), 6)
        c = torch.zeros(x.size(0), 6)
        outputs: List[torch.Tensor] = []
        for i in range(x.size(1)):
            h, c = self.cell(x[:, i], (h, c))
            outputs.append(self.head(h))
        return torch.stack(outputs, 1), h, c


class GruCellLoop(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = GruStep()

    def forward(self, x, h):
        y = torch.zeros(0, x.size(1), 6)
        for i in range(x.size(0)):
            h = self.cell(x[i], h)
            y = torch.cat([y, h.unsqueeze(0)])
        return y, h


class Unbound(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.RNNCell(5, 6, nonlinearity="relu")

    def forward(self, x, h):
        outputs = []
        for step in x.unbind(0):
            h = self.cell(step, h)
            outputs += [h]
        return torch.stack(outputs), h


class UnboundScript(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = GruStep()

    def forward(self, x, h):
        outputs: List[torch.Tensor] = []
        for step in x.unbind(0):
            h = self.cell(step, h)
            outputs += [h]
        return torch.stack(outputs), h


class UntilCondition(nn.Module):
    """while with a computed condition, and branches."""

    def __init__(self):
        super().__init__()
        self.cell = GruStep(6)

    def forward(self, h):
        steps = 0
        while bool(h.abs().sum() > 1.0) and steps < 12:
            h = self.cell(h, h) * 0.7
            steps += 1
        if bool(h.mean() > 0):
            y = h * 2
        elif steps > 5:
            y = h - 1
        else:
            y = h.abs()
        return y, torch.tensor(steps)


class Greedy(nn.Module):
    """A decoder that feeds its own best token."""

    def __init__(self):
        super().__init__()
        self.embedding, self.cell, self.head = nn.Embedding(9, 5), nn.LSTMCell(5, 6), nn.Linear(6, 9)

    def forward(self, h, c, steps: int):
        token = torch.zeros(h.size(0), dtype=torch.long)
        found: List[torch.Tensor] = []
        for _ in range(steps):
            h, c = self.cell(self.embedding(token), (h, c))
            token = self.head(h).argmax(-1)
            found.append(token)
        return torch.stack(found, 1)


class GreedyTensorSteps(Greedy):
    def forward(self, h, c, like):
        token = torch.zeros(h.size(0), dtype=torch.long)
        found = torch.zeros(h.size(0), like.size(1), dtype=torch.long)
        for i in range(like.size(1)):
            h, c = self.cell(self.embedding(token), (h, c))
            token = self.head(h).argmax(-1)
            found[:, i] = token
        return found


class SeqToSeq(nn.Module):
    def __init__(self, score="additive"):
        super().__init__()
        self.score = score
        self.source, self.target = nn.Embedding(11, 5), nn.Embedding(9, 5)
        self.encoder = nn.GRU(5, 6, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(12, 6)
        self.decoder = nn.GRU(5, 6, batch_first=True)
        self.query, self.key, self.v = nn.Linear(6, 7, bias=False), nn.Linear(12, 7), nn.Linear(7, 1, bias=False)
        self.head = nn.Linear(18, 9)

    def forward(self, x, y):
        memory, h = self.encoder(self.source(x))
        h = torch.tanh(self.bridge(torch.cat((h[0], h[1]), -1))).unsqueeze(0)
        q, _ = self.decoder(self.target(y), h)
        if self.score == "additive":
            s = self.v(torch.tanh(self.query(q).unsqueeze(2) + self.key(memory).unsqueeze(1))).squeeze(-1)
        elif self.score == "einsum":
            s = torch.einsum("bqd,bkd->bqk", self.query(q), self.key(memory)) / math.sqrt(7)
        else:
            s = torch.bmm(self.query(q), self.key(memory).transpose(1, 2)) * 7 ** -0.5
        mask = (x == 0)[:, None, :]
        s = s.masked_fill(mask, float("-inf")) if self.score == "bmm" else torch.where(mask, torch.full_like(s, -1e9), s)
        a = torch.softmax(s, -1)
        context = torch.einsum("bqk,bkd->bqd", a, memory) if self.score == "einsum" else a @ memory
        return self.head(torch.cat((q, context), -1)), a


class Transformer(nn.Module):
    def __init__(self, causal=True):
        super().__init__()
        self.causal = causal
        self.embedding = nn.Embedding(11, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.net = nn.GRU(8, 6, batch_first=True)

    def forward(self, x):
        e = self.embedding(x)
        t = x.size(1)
        mask = torch.triu(torch.full((t, t), float("-inf")), 1) if self.causal else None
        a, w = self.attention(e, e, e, attn_mask=mask)
        return self.net(self.norm(e + a))[0], w


class EncoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu", norm_first=True)
        self.net = nn.LSTM(8, 6, batch_first=True)

    def forward(self, x):
        return self.net(self.layer(x))[0]


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.GRU(6, 6, batch_first=True)

    def forward(self, x):
        t = torch.arange(x.size(1), dtype=torch.float32).unsqueeze(1)
        f = torch.exp(torch.arange(0, 6, 2).float() * (-math.log(10000.0) / 6))
        p = torch.zeros(x.size(1), 6)
        p[:, 0::2] = torch.sin(t * f)
        p[:, 1::2] = torch.cos(t * f)
        return self.net(x + p.unsqueeze(0))[0]


class Enhancer(nn.Module):
    """Conv, batch norm, GRU and transposed convolution over frames of a spectrogram."""

    def __init__(self):
        super().__init__()
        self.down1 = nn.Sequential(nn.Conv1d(4, 6, 3, padding=1), nn.BatchNorm1d(6), nn.PReLU())
        self.down2 = nn.Sequential(nn.Conv1d(6, 8, 4, stride=2, padding=1), nn.BatchNorm1d(8), nn.ELU())
        self.net = nn.GRU(8, 8, 2, batch_first=True)
        self.up = nn.Sequential(nn.ConvTranspose1d(16, 6, 4, stride=2, padding=1), nn.BatchNorm1d(6), nn.LeakyReLU(0.1))
        self.out = nn.Conv1d(12, 4, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(a)
        g, h = self.net(b.transpose(1, 2))
        u = self.up(torch.cat((b, g.transpose(1, 2)), 1))
        u = u[..., : a.size(-1)]
        return torch.sigmoid(self.out(torch.cat((a, u), 1))) * x, h


class Crn(nn.Module):
    """Two-dimensional convolutions over frequency around a recurrent layer over time."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, (2, 3), stride=(1, 2), padding=(0, 1))
        self.norm1 = nn.BatchNorm2d(3)
        self.conv2 = nn.Conv2d(3, 4, (1, 3), stride=(1, 2), padding=(0, 1))
        self.net = nn.LSTM(4 * 3, 12, batch_first=True)
        self.up1 = nn.ConvTranspose2d(8, 3, (1, 3), stride=(1, 2), padding=(0, 1))
        self.up2 = nn.ConvTranspose2d(6, 1, (1, 3), stride=(1, 2), padding=(0, 1))

    def forward(self, x):  # [N, 1, T, 9]
        a = F.elu(self.norm1(self.conv1(F.pad(x, (0, 0, 1, 0)))))
        b = F.elu(self.conv2(a))
        n, c, t, f = b.shape
        y, _ = self.net(b.permute(0, 2, 1, 3).reshape(n, t, c * f))
        y = y.reshape(n, t, c, f).permute(0, 2, 1, 3)
        y = F.elu(self.up1(torch.cat((y, b), 1)))
        return self.up2(torch.cat((y, a), 1))


class DepthwiseTcn(nn.Module):
    """Conv-TasNet's block: depthwise dilated convolutions with global layer norm."""

    def __init__(self):
        super().__init__()
        self.inp = nn.Conv1d(4, 8, 1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.PReLU(), nn.GroupNorm(1, 8), nn.Conv1d(8, 8, 3, padding=d, dilation=d, groups=8), nn.PReLU(), nn.GroupNorm(2, 8), nn.Conv1d(8, 8, 1))
            for d in (1, 2, 4))
        self.net = nn.GRU(8, 4, batch_first=True)

    def forward(self, x):
        x = self.inp(x)
        for block in self.blocks:
            x = x + block(x)
        return self.net(x.transpose(1, 2))[0].transpose(1, 2)


class WaveNet(nn.Module):
    def __init__(self, layers=4):
        super().__init__()
        self.embedding = nn.Embedding(16, 6)
        self.filters = nn.ModuleList(nn.Conv1d(6, 12, 2, dilation=2 ** i) for i in range(layers))
        self.outs = nn.ModuleList(nn.Conv1d(6, 12, 1) for _ in range(layers))
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(6, 8, 1), nn.ReLU(), nn.Conv1d(8, 16, 1))

    def forward(self, x):
        x = self.embedding(x).transpose(1, 2)
        skip = 0
        for i, (f, o) in enumerate(zip(self.filters, self.outs)):
            a, b = f(F.pad(x, (2 ** i, 0))).chunk(2, 1)
            r, s = o(torch.tanh(a) * torch.sigmoid(b)).split(6, 1)
            x, skip = x + r, skip + s
        return self.head(skip)


class Einopsish(nn.Module):
    """Dual-path: chunks, a recurrent layer within and one across, and back by overlap."""

    def __init__(self):
        super().__init__()
        self.intra, self.inter = nn.LSTM(4, 4, batch_first=True, bidirectional=True), nn.GRU(8, 4, batch_first=True)
        self.norm = nn.LayerNorm(8)

    def forward(self, x):  # [N, C, 4·k]
        n, c, _ = x.shape
        y = x.reshape(n, c, -1, 4).permute(0, 2, 3, 1)
        k = y.size(1)
        y = self.intra(y.reshape(n * k, 4, c))[0].reshape(n, k, 4, 8)
        y = self.norm(y)
        y = self.inter(y.permute(0, 2, 1, 3).reshape(n * 4, k, 8))[0]
        y = y.reshape(n, 4, k, 4).permute(0, 3, 2, 1).flatten(2)
        return y + x


class Unfolded(nn.Module):
    """Frames by unfold, as in an STFT of one's own, and linear interpolation back."""

    def __init__(self):
        super().__init__()
        self.net = nn.GRU(8, 5, batch_first=True)

    def forward(self, x):
        frames = x.unfold(1, 8, 4) * torch.hann_window(8)
        y = self.net(frames)[0]
        return F.interpolate(y.transpose(1, 2), scale_factor=4.0, mode="nearest"), F.interpolate(y.transpose(1, 2), scale_factor=2.0, mode="linear", align_corners=False)


class Normalized(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.LayerNorm(6), nn.InstanceNorm1d(6, affine=True), nn.LayerNorm((3, 6), elementwise_affine=False)
        self.weight = nn.Parameter(torch.ones(6))
        self.net = nn.utils.weight_norm(nn.Linear(6, 6))

    def forward(self, x):
        y = self.a(x)
        y = self.b(y.transpose(1, 2)).transpose(1, 2)
        y = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight
        mean, std = x.mean(1, keepdim=True), x.std(1, keepdim=True, unbiased=False)
        z = (x - mean) / (std + 1e-5)
        v = x.var(-1) + torch.norm(x, dim=-1) + torch.linalg.norm(x, ord=1, dim=-1) + torch.logsumexp(x, -1)
        return self.net(y), z, v, F.normalize(x, dim=-1), F.cosine_similarity(x, y, dim=-1)


class Activations(nn.Module):
    def __init__(self):
        super().__init__()
        self.all = nn.ModuleList([
            nn.ReLU6(), nn.SiLU(), nn.Mish(), nn.GELU(), nn.GELU("tanh"), nn.Hardtanh(-0.5, 0.7), nn.Hardsigmoid(), nn.Hardswish(), nn.Softplus(2.0), nn.Softsign(), nn.Tanhshrink(),
            nn.Softshrink(0.3), nn.Hardshrink(0.3), nn.SELU(), nn.CELU(0.7), nn.ELU(0.5), nn.LogSigmoid(), nn.Softmin(-1), nn.RReLU(), nn.GLU(-1)])

    def forward(self, x):
        return [f(x) for f in self.all]


class Selected(nn.Module):
    """Last valid output of each row by gather, and by advanced indexing."""

    def __init__(self):
        super().__init__()
        self.net = nn.LSTM(5, 6, batch_first=True)

    def forward(self, x, lengths):
        y, _ = self.net(x)
        index = (lengths - 1).view(-1, 1, 1).expand(-1, 1, y.size(2))
        a = y.gather(1, index).squeeze(1)
        b = y[torch.arange(y.size(0)), lengths - 1]
        mask = torch.arange(x.size(1))[None, :] < lengths[:, None]
        c = y.masked_fill(~mask.unsqueeze(-1), 0.0).sum(1)
        return a, b, c, mask, torch.flip(y, [1]), y.cumsum(1)


class Indexing(nn.Module):
    def forward(self, x):
        y = x.clone()
        y[:, 0] = 1.5
        y[:, 1:3, ::2] = x[:, :2, ::2] * 2
        top, place = x.topk(2, -1)
        s, order = x.sort(-1, descending=True)
        return (
            y, top, place, s, order, x.roll(1, 1), x[:, [2, 0]], x[..., None, -1], x.repeat(1, 2, 1), x.repeat_interleave(2, 1), x.min(-1)[1], x.prod(-1),
            torch.stack([x, x * 2], -1).flatten(2), x.amax((1, 2)), x.narrow(1, 1, 2), x.index_select(2, torch.tensor([4, 1])), x.swapaxes(0, 1), x.movedim(2, 0))


class Numbers(nn.Module):
    def forward(self, x):
        i = (x * 10).long()
        return (
            torch.fmod(x, 0.3), torch.remainder(x, 0.3), i.abs() // 3, torch.div(x, 0.3, rounding_mode="trunc"), i % 4, torch.floor_divide(i.abs(), 2), x.round(),  
            torch.maximum(x, -x), x.clamp(-0.2), x.clamp(max=0.4), torch.where(x > 0, x, x * 0.1), (x > 0) & (x < 1), (x > 0) | (x < -1), (x > 0) ^ (x < 1), ~(x > 0), x.sign(), x.exp().log1p(),
            x.abs().sqrt(), x.erf(), x ** 3, 2 ** x, (x != x).any(-1), (x > -5).all(1), x.isnan(), x.type(torch.int32), x.square(), x.reciprocal(),
            torch.lerp(x, x * 2, 0.3), torch.addmm(x[0], x[0], torch.eye(6)), torch.baddbmm(x, x, x.new_ones(1, 6, 6).expand(x.size(0), 6, 6)), x[0, 0][:, None] * x[0, 1], F.one_hot(i.abs() % 5, 5),
            torch.tan(x), torch.asin(x.tanh()), torch.acos(x.tanh()), torch.atan(x), torch.eq(i, 3).float(), x.std())


class Recursive(nn.Module):
    """A state that is a buffer, layers called twice and hidden state by slices of one tensor (as in streaming enhancement)."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.LSTM(5, 6), nn.LSTM(6, 6)
        self.head = nn.Linear(6, 5)

    def forward(self, x, state):
        y, (h1, c1) = self.a(x, (state[0:1], state[1:2]))
        y, (h2, c2) = self.b(y, (state[2:3], state[3:4]))
        return torch.sigmoid(self.head(y)) * x, torch.cat((h1, c1, h2, c2))


class LearnedStart(nn.Module):
    def __init__(self):
        super().__init__()
        self.h, self.c = nn.Parameter(torch.randn(2, 1, 6)), nn.Parameter(torch.randn(2, 1, 6))
        self.net = nn.LSTM(5, 6, 2, batch_first=True)

    def forward(self, x):
        n = x.size(0)
        return self.net(x, (self.h.expand(-1, n, -1).contiguous(), self.c.repeat(1, n, 1)))[0]


class Hyper(nn.Module):
    """Weights that another network computes."""

    def __init__(self):
        super().__init__()
        self.w, self.u = nn.Linear(3, 30), nn.Linear(3, 36)
        self.b = nn.Parameter(torch.randn(6))

    def forward(self, x, z):
        w, u = self.w(z).view(6, 5), self.u(z).view(6, 6)
        h = torch.zeros(x.size(0), 6)
        for i in range(4):
            h = torch.tanh(F.linear(x[:, i], w) + F.linear(h, u, self.b))
        return h


class QuasiRnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(5, 18, 2)

    def forward(self, x):
        z, f, o = self.conv(F.pad(x.transpose(1, 2), (1, 0))).transpose(1, 2).chunk(3, -1)
        z, f, o = z.tanh(), f.sigmoid(), o.sigmoid()
        c = torch.zeros_like(z[:, 0])
        out: List[torch.Tensor] = []
        for i in range(x.size(1)):
            c = f[:, i] * c + (1 - f[:, i]) * z[:, i]
            out.append(o[:, i] * c)
        return torch.stack(out, 1)


class ScriptedLayer(nn.Module):
    """A layer-normalised LSTM written with a loop over time."""

    def __init__(self):
        super().__init__()
        self.x2h, self.h2h = nn.Linear(5, 24, bias=False), nn.Linear(6, 24, bias=False)
        self.nx, self.nh, self.nc = nn.LayerNorm(24), nn.LayerNorm(24), nn.LayerNorm(6)

    def step(self, x: torch.Tensor, state: Tuple[torch.Tensor, torch.Tensor]) -> Tuple[torch.Tensor, torch.Tensor]:
        h, c = state
        gates = self.nx(self.x2h(x)) + self.nh(self.h2h(h))
        i, f, g, o = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(self.nc(c)), c

    def forward(self, x):
        steps = x.unbind(0)
        state = (x.new_zeros(x.size(1), 6), x.new_zeros(x.size(1), 6))
        out: List[torch.Tensor] = []
        for i in range(len(steps)):
            state = self.step(steps[i], state)
            out += [state[0]]
        return torch.stack(out), state[0], state[1]


class Backward(nn.Module):
    """Reversed time by a list that is turned, and a branch on an attribute and on a size."""

    def __init__(self):
        super().__init__()
        self.cell = GruStep()

    def forward(self, x, h: torch.Tensor):
        out: List[torch.Tensor] = []
        for i in range(x.size(0) - 1, -1, -1):
            if i % 2 == 0:
                h = self.cell(x[i], h)
            else:
                h = self.cell(x[i], -h)
            out.insert(0, h)
        if x.size(0) > 6:
            y = torch.stack(out)
        else:
            y = torch.stack(out) * 2
        return y


class OcrCrnn(nn.Module):
    """Pictures of lines of text: convolutions, poolings over height, then layers in both directions over width."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 4, 3, 1, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Conv2d(4, 6, 3, 1, 1), nn.LeakyReLU(0.2), nn.MaxPool2d((2, 2), (2, 1), (0, 1)), nn.AvgPool2d((2, 1)),
            nn.Conv2d(6, 8, 1))
        self.net = nn.LSTM(8, 5, bidirectional=True)
        self.head = nn.Linear(10, 7)

    def forward(self, x):
        y = self.cnn(x).squeeze(2).permute(2, 0, 1)
        return F.log_softmax(self.head(self.net(y)[0]), 2)


class GroupedDualPath(nn.Module):
    """A small network that removes noise: grouped and transposed convolutions over frequency, groups of recurrent layers within a frame and across frames, convolution of a mask."""

    def __init__(self):
        super().__init__()
        self.erb = nn.Linear(9, 7, bias=False)
        self.conv = nn.Sequential(nn.Conv2d(2, 4, (1, 5), (1, 2), (0, 2)), nn.BatchNorm2d(4), nn.PReLU())
        self.depth = nn.Sequential(nn.ConvTranspose2d(4, 4, (3, 3), 1, (0, 1), dilation=(1, 1), groups=4), nn.BatchNorm2d(4), nn.PReLU(4))
        self.intra1, self.intra2 = nn.GRU(2, 1, batch_first=True, bidirectional=True), nn.GRU(2, 1, batch_first=True, bidirectional=True)
        self.inter1, self.inter2 = nn.GRU(2, 2, batch_first=True), nn.GRU(2, 2, batch_first=True)
        self.fc, self.norm = nn.Linear(4, 4), nn.LayerNorm((4, 4))
        self.up = nn.Sequential(nn.ConvTranspose2d(4, 2, (1, 5), (1, 2), (0, 2), groups=2), nn.BatchNorm2d(2), nn.Tanh())

    def forward(self, x):  # [N, T, 9, 2]
        x = torch.stack([x[..., 0], x[..., 1]], 1)
        e = self.conv(self.erb(x))
        e = e + self.depth(F.pad(e, [0, 0, 0, 0]))[:, :, 2:]
        n, c, t, f = e.shape
        y = e.permute(0, 2, 3, 1)
        a, b = torch.chunk(y.reshape(n * t, f, c), 2, -1)
        z = self.fc(torch.cat([self.intra1(a)[0], self.intra2(b)[0]], -1)).reshape(n, t, f, c)
        y = y + self.norm(z)
        a, b = torch.chunk(y.permute(0, 2, 1, 3).reshape(n * f, t, c), 2, -1)
        z = torch.cat([self.inter1(a)[0], self.inter2(b)[0]], -1).reshape(n, f, t, c).permute(0, 3, 2, 1)
        return self.up(z + e) * x[..., :7]


class DeepFilter(nn.Module):
    """Deep filtering: separable convolutions, grouped linear layers by einsum, GRU with state, and a filter over frames."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.ConstantPad2d((0, 0, 2, 0), 0.0), nn.Conv2d(1, 4, (3, 3), padding=(0, 1), bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.separable = nn.Sequential(nn.Conv2d(4, 4, (1, 3), (1, 2), (0, 1), groups=4, bias=False), nn.Conv2d(4, 4, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.grouped = nn.Parameter(torch.randn(4, 4, 3))
        self.net = nn.GRU(12, 8, batch_first=True)
        self.out = nn.Parameter(torch.randn(2, 4, 8))
        self.skip = nn.Conv2d(4, 4, 1)
        self.up = nn.ConvTranspose2d(4, 4, (1, 3), (1, 2), (0, 1), (0, 1), groups=4)
        self.lsnr = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())

    def forward(self, x, h):  # [N, 1, T, 8], [1, N, 8]
        e0 = self.first(x)
        e1 = self.separable(e0)
        n, c, t, f = e1.shape
        y = e1.permute(0, 2, 3, 1).reshape(n, t, 4, c * f // 4)
        y = torch.einsum("btgi,gih->btgh", y, self.grouped).flatten(2)
        y, h = self.net(y, h)
        z = torch.einsum("btgi,gih->btgh", y.reshape(n, t, 2, 4), self.out).reshape(n, t, 4, 4).permute(0, 2, 1, 3)
        m = torch.sigmoid(self.up(F.relu(self.skip(e1) + z)))
        lsnr = self.lsnr(y) * 50 - 15
        return m * e0, lsnr, h, torch.einsum("bctf,bctf->btf", m, e0), x.squeeze(1).pow(2).sum(-1).clamp_min(1e-10).log10()


class VoiceActivity(nn.Module):
    """Speech or not: a spectrum by convolution, an encoder, an LSTM with state; another network for another sampling rate, by a branch."""

    def __init__(self):
        super().__init__()
        self.wide, self.narrow = VoiceBranch(16), VoiceBranch(8)

    def forward(self, x: torch.Tensor, state: torch.Tensor, sr: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        if int(sr) == 16000:
            return self.wide(x, state)
        else:
            return self.narrow(x, state)


class VoiceBranch(nn.Module):
    def __init__(self, size: int):
        super().__init__()
        self.basis = nn.Conv1d(1, size + 2, size, size // 2, bias=False)
        self.half = size // 2 + 1
        self.pad = size // 4
        self.encoder = nn.Sequential(nn.Conv1d(self.half, 8, 3, padding=1), nn.ReLU(), nn.Conv1d(8, 6, 3, 2, 1), nn.ReLU())
        self.net = nn.LSTMCell(6, 6)
        self.decoder = nn.Sequential(nn.Dropout(0.1), nn.ReLU(), nn.Conv1d(6, 1, 1), nn.Sigmoid())

    def forward(self, x: torch.Tensor, state: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        y = self.basis(F.pad(x, [self.pad, self.pad], "reflect").unsqueeze(1))
        y = torch.sqrt(y[:, :self.half] ** 2 + y[:, self.half:] ** 2)
        y = self.encoder(torch.log1p(y * 1048576)).mean(-1)
        h, c = self.net(y, (state[0], state[1]))
        return self.decoder(h.unsqueeze(-1)).squeeze(1).mean(1, keepdim=True), torch.stack([h, c])


class PitchNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, (8, 1), (4, 1)), nn.ReLU(), nn.BatchNorm2d(4), nn.MaxPool2d((2, 1), (2, 1)), nn.ZeroPad2d((0, 0, 2, 1)), nn.Conv2d(4, 3, (4, 1)), nn.ReLU(), nn.MaxPool2d((2, 1)))
        self.head = nn.Linear(6, 12)

    def forward(self, x):
        x = (x - x.mean(1, keepdim=True)) / torch.clamp(x.std(1, keepdim=True), min=1e-10)
        y = self.layers(x[:, None, :, None]).permute(0, 2, 1, 3).flatten(1)
        p = torch.sigmoid(self.head(y))
        return p, p.argmax(1), (p * torch.arange(12).float()).sum(1) / p.sum(1)


class InstantNorm(nn.Module):
    """The second half of a network for noise: frames through a learned basis, normalised one by one, two layers with states."""

    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Conv1d(8, 6, 1, bias=False), nn.Conv1d(6, 8, 1, bias=False)
        self.gamma, self.beta = nn.Parameter(torch.ones(1, 1, 6)), nn.Parameter(torch.zeros(1, 1, 6))
        self.a, self.b, self.head = nn.LSTM(6, 5, batch_first=True), nn.LSTM(5, 5, batch_first=True), nn.Linear(5, 6)

    def forward(self, x, state):  # [N, T, 8], [2, N, 5, 2]
        e = self.encode(x.permute(0, 2, 1)).permute(0, 2, 1)
        mean = e.mean(-1, keepdim=True)
        y = (e - mean) / torch.sqrt((e - mean).pow(2).mean(-1, keepdim=True) + 1e-7) * self.gamma + self.beta
        y, (h1, c1) = self.a(y, (state[0, :, :, 0][None].contiguous(), state[0, :, :, 1][None].contiguous()))
        y, (h2, c2) = self.b(y, (state[1, :, :, 0][None].contiguous(), state[1, :, :, 1][None].contiguous()))
        mask = torch.sigmoid(self.head(y))
        out = torch.stack((torch.cat((h1, h2)), torch.cat((c1, c2))), -1)
        return self.decode((mask * e).permute(0, 2, 1)).permute(0, 2, 1), out


class Keyword(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.net, self.head = nn.Conv2d(1, 3, (4, 3), (2, 2)), nn.GRU(9, 6, 2, batch_first=True, bidirectional=True), nn.Linear(12, 4)
        self.score = nn.Linear(12, 1)

    def forward(self, x):  # [N, T, 8]
        y = F.relu(self.conv(x.unsqueeze(1)))
        y = self.net(y.transpose(1, 2).flatten(2))[0]
        a = torch.softmax(self.score(torch.tanh(y)), 1)
        return torch.softmax(self.head(torch.bmm(y.transpose(1, 2), a).squeeze(2)), -1)


class SpeechStep(nn.Module):
    """A step of a decoder of speech: attention with location features over an encoder's outputs, two cells, and whether to stop."""

    def __init__(self):
        super().__init__()
        self.prenet = nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU())
        self.query, self.memory, self.place, self.v = nn.Linear(5, 4, bias=False), nn.Linear(6, 4, bias=False), nn.Linear(2, 4, bias=False), nn.Linear(4, 1, bias=False)
        self.location = nn.Conv1d(2, 2, 3, padding=1, bias=False)
        self.a, self.b = nn.LSTMCell(4 + 6, 5), nn.LSTMCell(5 + 6, 5)
        self.frame, self.gate = nn.Linear(5 + 6, 3), nn.Linear(5 + 6, 1)

    def forward(self, x, memory, h, c, h2, c2, w, total, context):
        h, c = self.a(torch.cat((self.prenet(x), context), -1), (h, c))
        place = self.place(self.location(torch.cat((w.unsqueeze(1), total.unsqueeze(1)), 1)).transpose(1, 2))
        energy = self.v(torch.tanh(self.query(h.unsqueeze(1)) + place + self.memory(memory))).squeeze(-1)
        w = F.softmax(energy, 1)
        context = torch.bmm(w.unsqueeze(1), memory).squeeze(1)
        h2, c2 = self.b(torch.cat((h, context), -1), (h2, c2))
        y = torch.cat((h2, context), 1)
        return self.frame(y), torch.sigmoid(self.gate(y)) > 0.5, h, c, h2, c2, w, total + w, context


def whole():
    one = ((1, 5), (3, 9), (2, 4))  # An exported layer of packed rows keeps the batch that it was traced with, unless that is 1.
    for pool in ("last", "max", "mean", "adaptive", "average"):
        add(f"classifier_{pool}", lambda p=pool: Classifier(pool=p), 14, x=tokens(11))
    add("classifier_gru", lambda: Classifier(nn.GRU), 11, x=tokens(11))
    for opset in (9, 13, 17):
        add(f"packed_lstm_{opset}", lambda: Packed(), opset, x=tokens(11), lengths=lengths, sizes=one)
        add(f"packed_gru_{opset}", lambda: Packed(nn.GRU, bidirectional=True, num_layers=2), opset, x=tokens(11), lengths=lengths, sizes=one)
        add(f"packed_rnn_{opset}", lambda: Packed(nn.RNN, bidirectional=True), opset, x=tokens(11), lengths=lengths, sizes=one)
    add("packed_unsorted", lambda: Packed(enforce=False, bidirectional=True), x=tokens(11), lengths=lengths, sizes=one)
    add("tagger", Tagger, x=tokens(11), letters=lambda n, t: torch.randint(0, 7, (n, t, 6)))
    for opset in (11, 13, 16):
        add(f"cell_loop_{opset}", CellLoop, opset, script=True, x=batch_time(5))
        add(f"gru_cell_loop_{opset}", GruCellLoop, opset, script=True, x=time_batch(5), h=lambda n, t: torch.randn(n, 6))
        add(f"until_{opset}", UntilCondition, opset, script=True, h=lambda n, t: torch.randn(n, 6), sizes=((2, 5), (3, 5), (1, 5)))
        add(f"layer_norm_lstm_{opset}", ScriptedLayer, opset, script=True, x=time_batch(5))
    add("cell_unrolled", CellLoop, x=lambda n, t: torch.randn(n, 4, 5))
    add("unbound", Unbound, x=lambda n, t: torch.randn(4, n, 5), h=lambda n, t: torch.randn(n, 6))
    add("unbound_scripted", UnboundScript, script=True, x=time_batch(5), h=lambda n, t: torch.randn(n, 6))
    add("backward_scripted", Backward, script=True, x=time_batch(5), h=lambda n, t: torch.randn(n, 6))
    add("greedy", GreedyTensorSteps, script=True, h=lambda n, t: torch.randn(n, 6), c=lambda n, t: torch.randn(n, 6), like=lambda n, t: torch.zeros(n, t))
    add("quasi_scripted", QuasiRnn, script=True, x=batch_time(5))
    for score in ("additive", "einsum", "bmm"):
        add(f"attention_{score}", lambda s=score: SeqToSeq(s), 12, x=lambda n, t: torch.cat([torch.randint(1, 11, (n, t)), torch.zeros(n, 2, dtype=torch.long)], 1), y=lambda n, t: torch.randint(0, 9, (n, t + 1)))
    add("transformer_causal", Transformer, 14, x=tokens(11))
    add("transformer", lambda: Transformer(False), 17, x=tokens(11), gradients=True)
    add("encoder_layer", EncoderLayer, 17, x=batch_time(8), gradients=True)
    add("positions", Positions, 14, x=batch_time(6))
    wide = ((2, 8), (3, 12), (1, 16))
    for opset in (9, 11, 13, 17):
        add(f"enhancer_{opset}", Enhancer, opset, x=lambda n, t: torch.randn(n, 4, t), sizes=wide)
        add(f"wavenet_{opset}", WaveNet, opset, x=tokens(16))
    add("crn", Crn, x=lambda n, t: torch.randn(n, 1, t, 9))
    add("tcn", DepthwiseTcn, x=lambda n, t: torch.randn(n, 4, t), sizes=wide)
    add("dual_path", Einopsish, x=lambda n, t: torch.randn(n, 4, t), sizes=wide)
    add("unfolded", Unfolded, x=lambda n, t: torch.randn(n, 32), sizes=((2, 1), (3, 1)))
    for opset in (9, 13, 17):
        add(f"normalized_{opset}", Normalized, opset, x=lambda n, t: torch.randn(n, 3, 6))
        add(f"activations_{opset}", Activations, opset, x=batch_time(6))
    for opset in (11, 15):
        add(f"selected_{opset}", Selected, opset, x=batch_time(5), lengths=lengths)
        add(f"indexing_{opset}", Indexing, opset, x=lambda n, t: torch.randn(n, t, 5), sizes=((2, 5), (3, 9)))
        add(f"numbers_{opset}", Numbers, opset, x=lambda n, t: torch.randn(n, 6, 6), sizes=((2, 5), (3, 5)))
    for opset in (11, 13, 16):
        add(f"ocr_{opset}", OcrCrnn, opset, x=lambda n, t: torch.randn(n, 1, 8, 4 + t))
        add(f"grouped_dual_path_{opset}", GroupedDualPath, opset, x=lambda n, t: torch.randn(n, t, 9, 2))
        add(f"voice_{opset}", VoiceActivity, opset, script=True, x=lambda n, t: torch.randn(n, 32 + 8 * t), state=lambda n, t: torch.randn(2, n, 6), sr=lambda n, t: torch.tensor(16000 if n != 3 else 8000))
        add(f"pitch_{opset}", PitchNet, opset, x=lambda n, t: torch.randn(n, 48), sizes=((2, 5), (3, 5), (1, 5)))
        add(f"instant_norm_{opset}", InstantNorm, opset, x=batch_time(8), state=lambda n, t: torch.randn(2, n, 5, 2))
        add(f"keyword_{opset}", Keyword, opset, x=batch_time(8))
    for opset in (12, 16):
        add(f"deep_filter_{opset}", DeepFilter, opset, x=lambda n, t: torch.randn(n, 1, t, 8), h=state(1, 8))
    add("speech_step", SpeechStep, 14, x=lambda n, t: torch.randn(n, 3), memory=lambda n, t: torch.randn(n, t, 6), h=lambda n, t: torch.randn(n, 5), c=lambda n, t: torch.randn(n, 5), h2=lambda n, t: torch.randn(n, 5),
        c2=lambda n, t: torch.randn(n, 5), w=lambda n, t: torch.rand(n, t), total=lambda n, t: torch.rand(n, t), context=lambda n, t: torch.randn(n, 6))
    add("recursive", Recursive, 12, x=time_batch(5), state=state(4, 6))
    add("learned_start", LearnedStart, 12, x=batch_time(5))
    add("hyper", Hyper, 12, x=lambda n, t: torch.randn(n, 4, 5), z=lambda n, t: torch.randn(3))
    add("enhancer_double", Enhancer, x=lambda n, t: torch.randn(n, 4, t), sizes=wide, double=True)
    add("attention_double", lambda: SeqToSeq("bmm"), 14, x=tokens(11), y=tokens(9), double=True)


def main():
    folder, wanted = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    torch.set_num_threads(1)
    recurrent()
    whole()
    done = 0
    for name, model in MODELS.items():
        if not wanted or name in wanted:
            try:
                export(folder, name, model)
                done += 1
            except Exception as error:  # What PyTorch itself cannot script or export.
                print(f"{name}: not exported: {type(error).__name__}: {str(error).strip().splitlines()[0][:160]}")
    print(f"{done} models in {folder}")


main()
