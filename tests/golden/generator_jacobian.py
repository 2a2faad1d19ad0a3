# SPDX-License-Identifier: MIT
"""A generator's dense Jacobian J (B x D x d) in PyTorch, its smallest singular value by LOBPCG and its log det by SLQ."""
from __future__ import annotations

import math

import torch
from torch import nn


MANY = 100  # rows of J, beyond which it has far fewer columns


def jacobian_by_columns(y, z):
    """J^T u is linear in u, so its derivative in u is J again: row j of J^T is column j of J."""
    u = torch.zeros_like(y, requires_grad=True)
    back = torch.autograd.grad(y, z, u, create_graph=True)[0]
    return torch.stack([torch.autograd.grad(back[:, j].sum(), u, create_graph=True)[0] for j in range(z.shape[1])], 2)


def jacobian(generator: nn.Module, z):
    """J (B x D x d), differentiable in z and in the parameters. The generator must be in eval mode, so that each
    row of G(z) depends on its own row of z alone."""
    y = generator(z)
    if y.shape[1] > MANY:
        return jacobian_by_columns(y, z)
    return torch.stack([torch.autograd.grad(y[:, i].sum(), z, create_graph=True)[0] for i in range(y.shape[1])], 1)


def apply(J, v):
    return torch.einsum("bij,bj->bi", J, v)


def apply_adjoint(J, u):
    return torch.einsum("bij,bi->bj", J, u)


def dot(a, b):
    return (a * b).sum(1, keepdim=True)


def unit(a):
    """a / ||a|| and which rows have a length; the others become zero."""
    n = a.norm(dim=1, keepdim=True)
    fine = (n > 0) & n.isfinite()
    return torch.where(fine, a / torch.where(fine, n, torch.ones_like(n)), torch.zeros_like(a)), fine


def lobpcg(J, v0, iterations: int):
    """Unit v (B x d), near the right singular vector of the smallest singular value: single-vector LOBPCG on an
    orthonormal basis {v, w, p}, p in closed form, no preconditioner."""
    v, fine = unit(v0)
    v = torch.where(fine, v, torch.full_like(v, v.shape[1] ** -0.5))
    u = apply(J, v)
    p, Jp = torch.zeros_like(v), torch.zeros_like(u)
    hp = torch.zeros_like(fine)
    for _ in range(iterations):
        sigma = u.norm(dim=1, keepdim=True)
        w = apply_adjoint(J, unit(u)[0]) - sigma * v
        hw = torch.ones_like(hp)
        for sweep in range(3):
            w = w - v * dot(v, w) - p * dot(p, w)
            n = w.norm(dim=1, keepdim=True)
            hw = hw & (n > 0) & n.isfinite() & ((n > 0.5) | (sweep == 0))
            w = torch.where(hw, w / n, torch.zeros_like(w))
        Jw = apply(J, w)
        basis = torch.stack([u, Jw, Jp], 2)
        G = basis.transpose(1, 2) @ basis
        mask = 4 * G.diagonal(dim1=1, dim2=2).sum(1)
        for column, present in ((1, hw), (2, hp)):  # a missing direction must not pass for a Ritz value of zero
            absent = ~present[:, 0]
            G[absent, column, :] = 0
            G[absent, :, column] = 0
            G[absent, column, column] = mask[absent]
        c = torch.linalg.eigh(G)[1][:, :, 0]
        c = torch.where(c[:, :1] < 0, -c, c)
        c0, c1, c2 = c[:, 0:1], c[:, 1:2], c[:, 2:3]
        sg = torch.hypot(c1, c2)
        hp = sg > 1e-30
        turn = torch.where(hp, c0 / torch.where(hp, sg, torch.ones_like(sg)), torch.zeros_like(sg))
        step, Jstep = c1 * w + c2 * p, c1 * Jw + c2 * Jp
        v, p = c0 * v + step, torch.where(hp, turn * step - sg * v, torch.zeros_like(v))
        u, Jp = c0 * u + Jstep, torch.where(hp, turn * Jstep - sg * u, torch.zeros_like(u))
        n = v.norm(dim=1, keepdim=True)
        v, u = v / n, u / n
        t = dot(v, p)
        p, Jp = p - t * v, Jp - t * u
        n = p.norm(dim=1, keepdim=True)
        n = torch.where(hp, n, torch.ones_like(n))
        p, Jp = p / n, Jp / n
    return v


def authors_iteration(J, v, p, iterations: int):
    """Unit v by the authors' variant of LOBPCG: the basis are the left singular vectors of [v, r / mean(r), p], and the
    next p is what of the next v lies along the last two of them."""
    for _ in range(iterations):
        u = apply(J, v)
        r = apply_adjoint(J, u) - v * dot(u, u) / dot(v, v)
        basis = torch.linalg.svd(torch.stack([v, r / r.mean(1, keepdim=True), p], 2), full_matrices=False)[0]
        images = J @ basis
        c = torch.linalg.eigh(images.transpose(1, 2) @ images)[1][:, :, 0]
        v, p = apply(basis, c), apply(basis[:, :, 1:], c[:, 1:])
    return unit(v)[0]


def slq(J, g, pairs: int):
    """Gauss-rule value of 1/2 log det J^T J (B) from Lanczos with full re-orthogonalisation started at g, and the
    constants u (B x D), v (B x d) of its gradient u^T dJ v."""
    batch, d = g.shape
    q = [unit(g)[0]]
    us = []
    T = torch.zeros(batch, pairs, pairs, dtype=J.dtype)
    for j in range(pairs):
        u = apply(J, q[j])
        us.append(u)
        stopped = dot(q[j], q[j])[:, 0] == 0
        T[:, j, j] = torch.where(stopped, torch.ones(batch, dtype=J.dtype), dot(u, u)[:, 0])
        if j + 1 == pairs:
            break
        h = apply_adjoint(J, u)
        for _ in range(2):
            h = h - sum(q_i * dot(q_i, h) for q_i in q)
        beta = h.norm(dim=1)
        beta = torch.where(stopped | (beta <= 1e-6 * T[:, j, j]), torch.zeros_like(beta), beta)
        T[:, j, j + 1] = T[:, j + 1, j] = beta
        q.append(torch.where(beta[:, None] > 0, unit(h)[0], torch.zeros_like(h)))
    nodes, vectors = torch.linalg.eigh(T)
    value = d / 2 * (vectors[:, 0, :] ** 2 * nodes.log()).sum(1)
    c = math.sqrt(d) * torch.linalg.inv(T)[:, :, 0]
    u = sum(c[:, j:j + 1] * us[j] for j in range(pairs))
    return value, u, math.sqrt(d) * q[0]
