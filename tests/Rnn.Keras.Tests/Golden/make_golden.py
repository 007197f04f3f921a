"""Writes the files of Keras models that the tests read, and what the models give, computed plainly with NumPy in double.

The layouts are those of Keras 1, 2 and 3. Needs Python 3 with h5py and NumPy: python3 make_golden.py
"""

import io
import json
import zipfile

import h5py
import numpy as np

random = np.random.default_rng(7)


def weights(*shape, scale=0.6):
    # Rounded to single precision, as they are stored.
    return random.uniform(-scale, scale, shape).astype("f4").astype("f8")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


FUNCTIONS = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, 0),
    "hard_sigmoid_2": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "hard_sigmoid_3": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "silu": lambda x: x * sigmoid(x),
    "softmax": softmax,
}


def step(kind, w, x, h, c, f, g):
    """One step: gates i, f, c, o of an LSTM, z, r, h of a GRU."""
    u = h.shape[-1]
    kernel, recurrent = w[0], w[1]
    bias = w[2] if len(w) > 2 else None
    if kind == "SimpleRNN":
        return g(x @ kernel + h @ recurrent + (0 if bias is None else bias)), c
    if kind == "LSTM":
        a = x @ kernel + h @ recurrent + (0 if bias is None else bias)
        i, forget, o = f(a[:, :u]), f(a[:, u : 2 * u]), f(a[:, 3 * u :])
        c = forget * c + i * g(a[:, 2 * u : 3 * u])
        return o * g(c), c
    if kind == "GRU":  # reset_after
        a = x @ kernel + (0 if bias is None else bias[0])
        b = h @ recurrent + (0 if bias is None else bias[1])
        z, r = f(a[:, :u] + b[:, :u]), f(a[:, u : 2 * u] + b[:, u : 2 * u])
        n = g(a[:, 2 * u :] + r * b[:, 2 * u :])
        return z * h + (1 - z) * n, c
    a = x @ kernel + (0 if bias is None else bias)
    z = f(a[:, :u] + h @ recurrent[:, :u])
    r = f(a[:, u : 2 * u] + h @ recurrent[:, u : 2 * u])
    n = g(a[:, 2 * u :] + (r * h) @ recurrent[:, 2 * u :])
    return z * h + (1 - z) * n, c


def run(kind, w, x, f="sigmoid", g="tanh", sequences=True, backwards=False, mask=None):
    """A recurrent layer as Keras runs it: masked steps keep the state and repeat the output; backwards gives the outputs in the order of the run."""
    n, t, _ = x.shape
    u = w[1].shape[0]
    h, c = np.zeros((n, u)), np.zeros((n, u))
    outputs = []
    for at in reversed(range(t)) if backwards else range(t):
        h2, c2 = step(kind, w, x[:, at], h, c, FUNCTIONS[f], FUNCTIONS[g])
        keep = np.ones((n, 1), bool) if mask is None else mask[:, at : at + 1]
        h, c = np.where(keep, h2, h), np.where(keep, c2, c)
        outputs.append(h)
    return np.stack(outputs, 1) if sequences else h


def both(kind, w, x, merge, sequences=True, **options):
    a = run(kind, w[: len(w) // 2], x, sequences=sequences, **options)
    b = run(kind, w[len(w) // 2 :], x, sequences=sequences, backwards=True, **options)
    b = b[:, ::-1] if sequences else b
    return {"concat": lambda: np.concatenate([a, b], -1), "sum": lambda: a + b, "ave": lambda: (a + b) / 2, "mul": lambda: a * b}[merge]()


def norm(x, gamma, beta, epsilon=1e-3):
    m = x.mean(-1, keepdims=True)
    return (x - m) / np.sqrt(((x - m) ** 2).mean(-1, keepdims=True) + epsilon) * gamma + beta


def recurrent(kind, inputs, units, bias=True, reset_after=True):
    g = {"SimpleRNN": 1, "LSTM": 4}.get(kind, 3)
    w = [weights(inputs, g * units), weights(units, g * units)]
    if bias:
        w.append(weights(2, g * units) if kind == "GRU" and reset_after else weights(g * units))
    return w


def layer3(name, class_name, **config):
    return {"module": "keras.layers", "class_name": class_name, "config": {"name": name, "trainable": True, "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}, **config}, "registered_name": None, "build_config": {"input_shape": [None, None, 3]}}


def rnn3(name, class_name, units, **config):
    d = {"units": units, "activation": "tanh", "use_bias": True, "dropout": 0.0, "recurrent_dropout": 0.0, "return_sequences": False, "return_state": False, "go_backwards": False, "stateful": False, "unroll": False, "zero_output_for_mask": False}
    if class_name != "SimpleRNN":
        d["recurrent_activation"] = "sigmoid"
    if class_name == "GRU":
        d["reset_after"] = True
    return layer3(name, class_name, **{**d, **config})


def both3(name, inner, merge):
    backward = json.loads(json.dumps(inner))
    backward["config"]["name"] = "backward_" + inner["config"]["name"]
    backward["config"]["go_backwards"] = True
    return layer3(name, "Bidirectional", merge_mode=merge, layer=inner, backward_layer=backward)


def keras_file(path, model, arrays, version="3.5.0", archive=zipfile.ZIP_STORED, **options):
    """A .keras archive: arrays by the path of their variables."""
    data = io.BytesIO()
    with h5py.File(data, "w") as f:
        write(f, arrays, **options)
    with zipfile.ZipFile(path, "w", archive) as z:
        for name, content in (("metadata.json", json.dumps({"keras_version": version, "date_saved": "2026-01-01@00:00:00"})), ("config.json", json.dumps(model)), ("model.weights.h5", data.getvalue())):
            z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, archive)


def write(f, arrays, dtype="f4", **options):
    for path, values in arrays.items():
        group = f.create_group(path + "/vars")
        for i, value in enumerate(values):
            group.create_dataset(str(i), data=value.astype(dtype), **options)


def sequential3(name, layers):
    return {"module": "keras", "class_name": "Sequential", "config": {"name": name, "trainable": True, "dtype": "float32", "layers": layers, "build_input_shape": [None, None, 3]}, "registered_name": None}


def old_file(path, model, layers, version="2.2.4", root="model_weights"):
    """An .h5 file of Keras 1 and 2: layers as (name, [(weight name, values)])."""
    with h5py.File(path, "w") as f:
        if model is not None:
            f.attrs["model_config"] = json.dumps(model).encode("utf8")
            f.attrs["keras_version"] = version.encode("utf8")
        g = f.create_group(root) if root else f
        g.attrs["layer_names"] = np.array([name.encode("utf8") for name, _ in layers])
        g.attrs["keras_version"] = version.encode("utf8")
        for name, values in layers:
            group = g.create_group(name)
            group.attrs["weight_names"] = np.array([n.encode("utf8") for n, _ in values]) if values else []
            for n, value in values:
                group.create_dataset(n, data=value.astype("f4"))


expected = {}


def expect(name, x, y):
    expected[name] = {"input": {"shape": list(x.shape), "values": x.ravel().tolist()}, "output": {"shape": list(y.shape), "values": y.ravel().tolist()}}


x = weights(3, 5, 3, scale=1.5)

# Keras 3: an LSTM and a softmax.
w, d = recurrent("LSTM", 3, 4), [weights(4, 2), weights(2)]
keras_file("lstm.keras", sequential3("sequential", [layer3("input_layer", "InputLayer", batch_shape=[None, 5, 3], sparse=False), rnn3("lstm_7", "LSTM", 4), layer3("dense_3", "Dense", units=2, activation="softmax", use_bias=True)]), {"layers/lstm/cell": w, "layers/dense": d})
expect("lstm.keras", x, softmax(run("LSTM", w, x, sequences=False) @ d[0] + d[1]))

# Tokens, masked; both directions; two layers of one class; a function of Keras 3; compressed.
table = weights(6, 3)
g1, g2, w, d = recurrent("GRU", 3, 4), recurrent("GRU", 3, 4), recurrent("LSTM", 8, 3), [weights(3, 1), weights(1)]
tokens = np.array([[3, 1, 5, 2, 4], [2, 2, 0, 0, 0], [0, 0, 0, 0, 0], [1, 5, 5, 3, 0]])
mask = tokens != 0
keras_file("tokens.keras", sequential3("tagger", [
    layer3("embedding", "Embedding", input_dim=6, output_dim=3, mask_zero=True, input_length=None),
    both3("bidirectional", rnn3("gru", "GRU", 4, return_sequences=True), "concat"),
    layer3("dropout", "Dropout", rate=0.5, seed=None, noise_shape=None),
    rnn3("lstm", "LSTM", 3, recurrent_activation="hard_sigmoid", activation="softsign", dropout=0.1),
    layer3("dense", "Dense", units=1, activation="sigmoid", use_bias=True)]),
    {"layers/embedding": [table], "layers/bidirectional/forward_layer/cell": g1, "layers/bidirectional/backward_layer/cell": g2, "layers/dropout/seed_generator": [], "layers/lstm/cell": w, "layers/dense": d},
    archive=zipfile.ZIP_DEFLATED)
y = both("GRU", g1 + g2, table[tokens], "concat", mask=mask)
expect("tokens.keras", tokens.astype("f8"), sigmoid(run("LSTM", w, y, f="hard_sigmoid_3", g="softsign", sequences=False, mask=mask) @ d[0] + d[1]))

# The merges, of a last output and of sequences.
for merge in ("sum", "ave", "mul"):
    w1, w2 = recurrent("SimpleRNN", 3, 4), recurrent("SimpleRNN", 4, 2)
    v1, v2 = recurrent("SimpleRNN", 3, 4), recurrent("SimpleRNN", 4, 2)
    keras_file(f"merge-{merge}.keras", sequential3("merge", [both3("b1", rnn3("r1", "SimpleRNN", 4, return_sequences=True), merge), both3("b2", rnn3("r2", "SimpleRNN", 2, activation="elu"), merge)]),
               {"layers/bidirectional/forward_layer/cell": w1, "layers/bidirectional/backward_layer/cell": v1, "layers/bidirectional_1/forward_layer/cell": w2, "layers/bidirectional_1/backward_layer/cell": v2}, dtype="f8")
    expect(f"merge-{merge}.keras", x, both("SimpleRNN", w2 + v2, both("SimpleRNN", w1 + v1, x, merge), merge, sequences=False, g="elu"))

# A functional chain that goes backwards, without biases, normalised; half precision, chunked, compressed, with a checksum.
def half(values):
    return [v.astype("f2").astype("f8") for v in values]

w, n, g = half(recurrent("LSTM", 3, 4, bias=False)), half([weights(4), weights(4)]), half(recurrent("GRU", 4, 3))
def tensor(name):
    return [{"args": [{"class_name": "__keras_tensor__", "config": {"shape": [None, None, 3], "dtype": "float32", "keras_history": [name, 0, 0]}}], "kwargs": {"training": False}}]
layers = [layer3("in", "InputLayer", batch_shape=[None, None, 3]), rnn3("back", "LSTM", 4, use_bias=False, return_sequences=True, go_backwards=True, activation="silu"), layer3("norm", "LayerNormalization", axis=-1, epsilon=0.001, center=True, scale=True), rnn3("end", "GRU", 3, go_backwards=True), layer3("act", "LeakyReLU", negative_slope=0.3)]
for i, l in enumerate(layers):
    l["name"] = l["config"]["name"]
    l["inbound_nodes"] = tensor(layers[i - 1]["config"]["name"]) if i else []
keras_file("functional.keras", {"module": "keras.src.models.functional", "class_name": "Functional", "config": {"name": "functional", "trainable": True, "layers": layers, "input_layers": [["in", 0, 0]], "output_layers": [["act", 0, 0]]}, "registered_name": "Functional"},
           {"layers/input_layer": [], "layers/lstm/cell": w, "layers/layer_normalization": n, "layers/gru/cell": g, "layers/leaky_re_lu": []}, dtype="f2", chunks=True, compression="gzip", shuffle=True, fletcher32=True)
y = run("GRU", g, norm(run("LSTM", w, x, g="silu", backwards=True), *n), sequences=False, backwards=True)
expect("functional.keras", x, np.where(y > 0, y, 0.3 * y))

# Keras 2: the old hard sigmoid, reset before the product, each step by itself.
r, g, d1, d2 = recurrent("SimpleRNN", 3, 5), recurrent("GRU0", 5, 4), [weights(4, 3), weights(3)], [weights(3, 2)]
old = {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": [
    {"class_name": "Masking", "config": {"name": "masking_1", "trainable": True, "batch_input_shape": [None, 5, 3], "dtype": "float32", "mask_value": -1.0}},
    {"class_name": "SimpleRNN", "config": {"name": "simple_rnn_1", "return_sequences": True, "units": 5, "activation": "relu", "use_bias": True, "dropout": 0.0, "recurrent_dropout": 0.0, "unroll": False, "stateful": True}},
    {"class_name": "GRU", "config": {"name": "gru_1", "return_sequences": False, "units": 4, "activation": "tanh", "recurrent_activation": "hard_sigmoid", "use_bias": True, "implementation": 1}},
    {"class_name": "Dense", "config": {"name": "dense_1", "units": 3, "activation": "linear", "use_bias": True}},
    {"class_name": "Activation", "config": {"name": "activation_1", "activation": "hard_sigmoid"}},
    {"class_name": "Dense", "config": {"name": "dense_2", "units": 2, "activation": "softmax", "use_bias": False}}]}}
old_file("keras2.h5", old, [("masking_1", []), ("simple_rnn_1", [("simple_rnn_1/kernel:0", r[0]), ("simple_rnn_1/recurrent_kernel:0", r[1]), ("simple_rnn_1/bias:0", r[2])]), ("gru_1", [("gru_1/kernel:0", g[0]), ("gru_1/recurrent_kernel:0", g[1]), ("gru_1/bias:0", g[2])]), ("dense_1", [("dense_1/kernel:0", d1[0]), ("dense_1/bias:0", d1[1])]), ("activation_1", []), ("dense_2", [("dense_2/kernel:0", d2[0])])])
masked = x.copy()
masked[1, 3:] = -1
mask = ~np.all(masked == -1, -1)
y = run("GRU0", g, run("SimpleRNN", r, masked, g="relu", mask=mask), f="hard_sigmoid_2", sequences=False, mask=mask)
expect("keras2.h5", masked, softmax(FUNCTIONS["hard_sigmoid_2"](y @ d1[0] + d1[1]) @ d2[0]))

# Keras 2, functional and bidirectional, as tf.keras writes it.
w, v, d = recurrent("LSTM", 3, 2), recurrent("LSTM", 3, 2), [weights(4, 2), weights(2)]
inner = {"class_name": "LSTM", "config": {"name": "lstm", "return_sequences": True, "units": 2, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True, "time_major": False}}
old = {"class_name": "Functional", "config": {"name": "model", "layers": [
    {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 5, 3], "dtype": "float32", "sparse": False, "name": "input_1"}, "name": "input_1", "inbound_nodes": []},
    {"class_name": "Bidirectional", "config": {"name": "both", "layer": inner, "merge_mode": "concat"}, "name": "both", "inbound_nodes": [[["input_1", 0, 0, {}]]]},
    {"class_name": "TimeDistributed", "config": {"name": "each", "layer": {"class_name": "Dense", "config": {"name": "dense", "units": 2, "activation": "relu", "use_bias": True}}}, "name": "each", "inbound_nodes": [[["both", 0, 0, {}]]]}],
    "input_layers": [["input_1", 0, 0]], "output_layers": [["each", 0, 0]]}}
def named(prefix, values):
    return [(f"{prefix}/{n}:0", value) for n, value in zip(("kernel", "recurrent_kernel", "bias"), values)]
old_file("keras2-functional.h5", old, [("input_1", []), ("both", named("both/forward_lstm/lstm_cell_1", w) + named("both/backward_lstm/lstm_cell_2", v)), ("each", [("each/kernel:0", d[0]), ("each/bias:0", d[1])])], version="2.6.0")
expect("keras2-functional.h5", x, np.maximum(both("LSTM", w + v, x, "concat") @ d[0] + d[1], 0))

# Keras 1: a weight for each gate, other names of options.
w, d = recurrent("LSTM", 3, 4), [weights(4, 2), weights(2)]
parts = []
for i, letter in ((0, "i"), (2, "c"), (1, "f"), (3, "o")):
    s = slice(4 * i, 4 * i + 4)
    parts += [(f"lstm_1_W_{letter}", w[0][:, s]), (f"lstm_1_U_{letter}", w[1][:, s]), (f"lstm_1_b_{letter}", w[2][s])]
old = {"class_name": "Sequential", "config": [
    {"class_name": "LSTM", "config": {"name": "lstm_1", "output_dim": 4, "input_dim": 3, "activation": "tanh", "inner_activation": "hard_sigmoid", "return_sequences": False, "dropout_W": 0.0, "dropout_U": 0.0}},
    {"class_name": "Dense", "config": {"name": "dense_1", "output_dim": 2, "activation": "softmax", "bias": True}}]}
old_file("keras1.h5", old, [("lstm_1", parts), ("dense_1", [("dense_1_W", d[0]), ("dense_1_b", d[1])])], version="1.2.2")
expect("keras1.h5", x, softmax(run("LSTM", w, x, f="hard_sigmoid_2", sequences=False) @ d[0] + d[1]))

# Weights alone, of Keras 3 and of Keras 2.
w, g1, g2 = recurrent("LSTM", 3, 4), recurrent("GRU", 4, 3), recurrent("GRU", 4, 3)
with h5py.File("layers.weights.h5", "w", libver="latest") as f:
    write(f, {"layers/lstm/cell": w, "layers/bidirectional/forward_layer/cell": g1, "layers/bidirectional/backward_layer/cell": g2, "layers/dropout/seed_generator": []}, dtype="f8")
    f.create_group("vars")
expect("layers.weights.h5", x, both("GRU", g1 + g2, run("LSTM", w, x), "concat"))
old_file("keras2-weights.h5", None, [("a", named("a", w))], root=None)
expect("keras2-weights.h5", x, run("LSTM", w, x))

# Several chunks with a checksum and nothing else, some of them only in part within the data.
d = [weights(5, 7), weights(7)]
with h5py.File("checksum.weights.h5", "w") as f:
    group = f.create_group("layers/dense/vars")
    group.create_dataset("0", data=d[0].astype("f4"), chunks=(2, 3), fletcher32=True)
    group.create_dataset("1", data=d[1].astype("f4"), chunks=(3,), fletcher32=True)
ones = np.eye(5)
expect("checksum.weights.h5", ones, ones @ d[0] + d[1])

# Names of all lengths, in the old form of groups and in the new one, with times: nothing of a sound file may look damaged.
for path, libver in (("names-old.weights.h5", "earliest"), ("names-new.weights.h5", "latest")):
    with h5py.File(path, "w", libver=libver) as f:
        names = ["abcdefghijklmnopqrstuvwxyzabcdefghijklmn"[:n] for n in range(1, 41, 3)] + ["lstm", "vars", "bias", "kernel:0", "HEAP", "TREE", "GCOL"]
        f.attrs["layer_names"] = np.array([name.encode("utf8") for name in names])
        for i, name in enumerate(names):
            group = f.create_group(name)
            group.attrs["weight_names"] = np.array([f"{name}/k".encode("utf8")])
            group.attrs["note"] = "x" * i
            group.create_dataset(f"{name}/k", data=np.full((2, 3), i, "f4"), track_times=True)

with open("expected.json", "w") as f:
    json.dump(expected, f)
