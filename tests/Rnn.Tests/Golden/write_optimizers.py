#!/usr/bin/env python3
"""Writes PyTorch's optimisers, gradient clipping and schedules: python3 tests/Rnn.Tests/Golden/write_optimizers.py

Needs PyTorch (written with 1.13). Everything is computed in float64. Two parameters of 37 and 20 numbers are updated twelve times with
given gradients; the values after steps 1, 2, 3, 7 and 12 are kept as <name>/<step>, both parameters one after the other.
"""

import torch

from write_golden import FOLDER, grid, seeded, write

STEPS, KEPT, SPLIT = 12, (1, 2, 3, 7, 12), (37, 20)

OPTIMIZERS = {
    "sgd": (torch.optim.SGD, dict(lr=0.1)),
    "sgd_decay": (torch.optim.SGD, dict(lr=0.1, weight_decay=0.05)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=0.05, momentum=0.9, weight_decay=0.01)),
    "sgd_dampening": (torch.optim.SGD, dict(lr=0.05, momentum=0.8, dampening=0.3)),
    "sgd_nesterov": (torch.optim.SGD, dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)),
    "adam": (torch.optim.Adam, dict()),
    "adam_options": (torch.optim.Adam, dict(lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1)),
    "adamw": (torch.optim.AdamW, dict()),
    "adamw_options": (torch.optim.AdamW, dict(lr=0.02, betas=(0.7, 0.9), eps=1e-4, weight_decay=0.3)),
    "rmsprop": (torch.optim.RMSprop, dict()),
    "rmsprop_options": (torch.optim.RMSprop, dict(lr=2e-3, alpha=0.95, eps=1e-5, weight_decay=0.02)),
    "rmsprop_centered": (torch.optim.RMSprop, dict(lr=3e-3, alpha=0.9, eps=1e-4, centered=True)),
    "rmsprop_momentum": (torch.optim.RMSprop, dict(lr=3e-3, momentum=0.7)),
    "rmsprop_all": (torch.optim.RMSprop, dict(lr=3e-3, alpha=0.9, eps=1e-4, momentum=0.7, centered=True, weight_decay=0.02)),
    "adagrad": (torch.optim.Adagrad, dict()),
    "adagrad_options": (torch.optim.Adagrad, dict(lr=0.1, lr_decay=0.05, weight_decay=0.02, initial_accumulator_value=0.3, eps=1e-6)),
    "adadelta": (torch.optim.Adadelta, dict()),
    "adadelta_options": (torch.optim.Adadelta, dict(lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.02)),
    "nadam": (torch.optim.NAdam, dict()),
    "nadam_options": (torch.optim.NAdam, dict(lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.05, momentum_decay=0.1)),
    "averaged": (torch.optim.ASGD, dict()),
    "averaged_options": (torch.optim.ASGD, dict(lr=0.1, lambd=0.02, alpha=0.6, t0=4, weight_decay=0.03)),
}

RATES = {
    "step": lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=7, gamma=0.3),
    "multi_step": lambda o: torch.optim.lr_scheduler.MultiStepLR(o, milestones=[3, 4, 20], gamma=0.5),
    "exponential": lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.9),
    "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=39, eta_min=0.1),
    "one_cycle": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=40, cycle_momentum=False),
    "one_cycle_linear": lambda o: torch.optim.lr_scheduler.OneCycleLR(
        o, max_lr=1.0, total_steps=40, pct_start=0.4, anneal_strategy="linear", div_factor=10, final_div_factor=100, cycle_momentum=False),
    "one_cycle_three": lambda o: torch.optim.lr_scheduler.OneCycleLR(
        o, max_lr=1.0, total_steps=40, pct_start=0.25, three_phase=True, cycle_momentum=False),
}

PLATEAUS = {
    "plateau": dict(patience=2),
    "plateau_options": dict(patience=1, factor=0.5, threshold=0.05, cooldown=2, min_lr=0.2),
    "plateau_absolute": dict(patience=1, factor=0.5, threshold=0.02, threshold_mode="abs"),
}


def optimizers(generator):
    initial = grid(generator, sum(SPLIT))
    gradients = grid(generator, STEPS, sum(SPLIT))
    tensors = {"initial": (initial, "F16"), "gradients": (gradients, "F16")}
    for name, (kind, options) in OPTIMIZERS.items():
        parameters = [p.clone().requires_grad_() for p in initial.split(SPLIT)]
        # NAdam by lists of tensors: its plain loop multiplies the momentum twice in this version (corrected in PyTorch 2.0).
        optimizer = kind(parameters, **options, foreach=kind is torch.optim.NAdam)
        for step in range(1, STEPS + 1):
            for parameter, gradient in zip(parameters, gradients[step - 1].split(SPLIT)):
                parameter.grad = gradient.clone()
            optimizer.step()
            if step in KEPT:
                tensors[f"{name}/{step}"] = (torch.cat([p.detach() for p in parameters]).clone(), "F64")
                if kind is torch.optim.ASGD:
                    tensors[f"{name}/average/{step}"] = (torch.cat([optimizer.state[p]["ax"] for p in parameters]).clone(), "F64")
    return tensors


def groups(generator):
    """Two groups with rates and decay of their own under a schedule that halves at step 6."""
    initial = grid(generator, sum(SPLIT))
    gradients = grid(generator, STEPS, sum(SPLIT))
    a, b = (p.clone().requires_grad_() for p in initial.split(SPLIT))
    optimizer = torch.optim.AdamW([dict(params=[a], lr=0.05), dict(params=[b], weight_decay=0.4)], lr=0.01)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=6, gamma=0.5)
    for step in range(STEPS):
        a.grad, b.grad = (g.clone() for g in gradients[step].split(SPLIT))
        optimizer.step()
        schedule.step()
    return {
        "groups/initial": (initial, "F16"), "groups/gradients": (gradients, "F16"), "groups/final": (torch.cat([a, b]), "F64")}


def clipping(generator):
    gradients = grid(generator, sum(SPLIT)) * 4
    tensors = {"clip/gradients": (gradients, "F16")}
    for limit in (0.5, 5.0, 100.0):
        parameters = [torch.zeros(n, dtype=torch.float64, requires_grad=True) for n in SPLIT]
        for parameter, gradient in zip(parameters, gradients.split(SPLIT)):
            parameter.grad = gradient.clone()
        norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
        tensors[f"clip/norm/{limit}"] = (norm, "F64")
        tensors[f"clip/clipped/{limit}"] = (torch.cat([p.grad for p in parameters]), "F64")
    return tensors


def schedules(generator):
    tensors = {}
    for name, make in RATES.items():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        schedule = make(optimizer)
        rates = []
        for _ in range(40):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(rates) < 40:
                schedule.step()
        tensors[f"rates/{name}"] = (torch.tensor(rates, dtype=torch.float64), "F64")
    losses = 2 + torch.cumsum(grid(generator, 40) * 0.2 - 0.02, 0)
    tensors["plateau/losses"] = (losses, "F64")
    for name, options in PLATEAUS.items():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        rates = []
        for loss in losses.tolist():
            schedule.step(loss)
            rates.append(optimizer.param_groups[0]["lr"])
        tensors[f"rates/{name}"] = (torch.tensor(rates, dtype=torch.float64), "F64")
    return tensors


if __name__ == "__main__":
    torch.set_num_threads(1)
    # Some optimisers keep numbers of their own in the default type.
    torch.set_default_dtype(torch.float64)
    source = seeded("optimizers")
    write(FOLDER / "optimizers.safetensors", optimizers(source) | groups(source) | clipping(source) | schedules(source))
