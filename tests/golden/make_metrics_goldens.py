# SPDX-License-Identifier: MIT
"""Makes tests/golden/metrics/measures.h5: measures of samples (src/metrics) by NumPy, SciPy and scikit-learn in float64.

    python3 tests/golden/make_metrics_goldens.py [--out tests/golden/metrics/measures.h5]

A group a measure, with its inputs (features, scores and points float32, exactly what was used; digits and labels int64) and
its results (float64, scalars of no dimension). Nothing here shares code with src/: Frechet distances come from scipy's
sqrtm and, exactly for few samples, from the singular values of the centred features; areas from scikit-learn; neighbours
from scipy's cKDTree.
"""
import argparse

import h5py
import numpy as np
import scipy.linalg
import scipy.spatial
import scipy.special
import scipy.stats
import sklearn.cluster
import sklearn.metrics


def modes(rng):
    """Many modes empty; training labels in the order of digits that VERA gives them, and in that of the samples."""
    digits = rng.binomial(9, [0.2, 0.5, 0.7], size=(1237, 3))
    training = rng.binomial(9, [0.3, 0.5, 0.6], size=(2011, 3))
    q = np.bincount(digits @ [100, 10, 1], minlength=1000) / len(digits)
    kl = lambda p: scipy.special.rel_entr(q, p)[(q > 0) & (p > 0)].sum()
    reversed_p = np.bincount(training @ [1, 10, 100], minlength=1000) / len(training)
    matched_p = np.bincount(training @ [100, 10, 1], minlength=1000) / len(training)
    return {"digits": digits, "training": training, "modes": np.int64((q > 0).sum()),
            "kl_uniform": np.log(1000) - scipy.stats.entropy(q), "kl_vera": kl(reversed_p), "kl_matched": kl(matched_p)}


def inception(rng):
    """torch-fidelity's protocol, on 103 samples of 11 classes, and without its shuffle, and on probabilities with zeros."""
    logits = np.float32(3 * rng.standard_normal((103, 11)) + 40)
    order = np.random.RandomState(2020).permutation(len(logits))

    def score(p, splits):
        scores = []
        for s in range(splits):
            part = p[s * len(p) // splits:(s + 1) * len(p) // splits]
            scores.append(np.exp(scipy.special.rel_entr(part, part.mean(0)).sum(1).mean()))
        return [np.mean(scores), np.std(scores)]

    p = scipy.special.softmax(logits.astype(float), axis=1)
    hard = np.float32(np.where(rng.uniform(size=(29, 1)) < 0.5, np.eye(5)[rng.integers(5, size=29)], 0.2))
    return {"logits": logits, "order": order, "ten_shuffled": score(p[order], 10), "one": score(p, 1),
            "hard": hard, "hard_four": score(hard.astype(float), 4)}


def permutations():
    random = np.random.RandomState(2020)
    return {"first": random.permutation(1), "second": random.permutation(103), "third": random.permutation(1000),
            "other_seed": np.random.RandomState(7).permutation(64)}


def frechet(rng, dim, first, second):
    turn = np.linalg.qr(rng.standard_normal((dim, dim)))[0]
    scales = 10 ** (-2 * np.arange(dim) / dim)
    x = np.float32(rng.standard_normal((first, dim)) * scales @ turn + 0.3)
    y = np.float32(rng.standard_normal((second, dim)) * np.sqrt(scales[::-1]) @ turn + 0.5)
    a, b = x.astype(float), y.astype(float)
    c, d = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    rest = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(c) + np.trace(d)
    # tr (C D)^(1/2) is the sum of the singular values of the centred features' product.
    values = scipy.linalg.svdvals((a - a.mean(0)) @ (b - b.mean(0)).T) / np.sqrt((first - 1.0) * (second - 1.0))
    return {"x": x, "y": y, "mean": a.mean(0), "covariance": c, "distance": rest - 2 * values.sum(),
            "distance_sqrtm": rest - 2 * np.trace(scipy.linalg.sqrtm(c @ d)).real}


def kernel(rng):
    """torch-fidelity's subsets (seed 2020), 7 of 37, from 90 and 61 samples of 13 features."""
    x = np.float32(rng.standard_normal((90, 13)) * 2 + 0.5)
    y = np.float32(rng.standard_normal((61, 13)) * 1.7)

    def mmd2(x, y):
        k = lambda a, b: sklearn.metrics.pairwise.polynomial_kernel(a, b, degree=3, gamma=1 / x.shape[1], coef0=1)
        off = lambda m: (m.sum() - np.trace(m)) / (len(m) * (len(m) - 1))
        return off(k(x, x)) + off(k(y, y)) - 2 * k(x, y).mean()

    a, b = x.astype(float), y.astype(float)
    random = np.random.RandomState(2020)
    each = [mmd2(a[random.choice(90, 37, replace=False)], b[random.choice(61, 37, replace=False)]) for _ in range(7)]
    return {"x": x, "y": y, "whole": mmd2(a[:61], b), "mean": np.mean(each), "deviation": np.std(each)}


def precision_recall(rng):
    """Given labels, some clusters empty for one side or both; and k-means of points in no clear clusters."""
    real, generated = rng.binomial(18, 0.35, size=301), rng.binomial(18, 0.55, size=301)
    r, g = (np.bincount(labels, minlength=20) / len(labels) for labels in (real, generated))
    angles = np.linspace(1e-10, np.pi / 2 - 1e-10, 1001)
    slopes = np.tan(angles)
    precision = np.array([np.minimum(s * r, g).sum() for s in slopes])
    recall = precision / slopes
    f = lambda b: np.max((1 + b * b) * precision * recall / (b * b * precision + recall + 1e-10))
    points = np.float32(rng.standard_normal((407, 7)) * np.linspace(1, 3, 7) + 5)
    given = sklearn.cluster.KMeans(20, init=points[:20].astype(float), n_init=1, tol=0).fit(points.astype(float))
    best = sklearn.cluster.KMeans(20, n_init=10, random_state=0).fit(points.astype(float))
    return {"real": real, "generated": generated, "precision": precision, "recall": recall, "f8": f(8), "f1_8": f(1 / 8),
            "points": points, "inertia": best.inertia_,
            "given_labels": given.labels_, "given_inertia": given.inertia_}


def detection(rng):
    """Energies rounded so that many are the same, within and between the kinds."""
    inside, outside = np.float32(rng.normal(0, 1, 211).round(1)), np.float32(rng.normal(1, 1.5, 157).round(1))
    score, label = -np.r_[inside, outside].astype(float), np.r_[np.ones(211), np.zeros(157)]
    fpr, tpr, _ = sklearn.metrics.roc_curve(label, score, drop_intermediate=False)

    def area(label, score):
        precision, recall, _ = sklearn.metrics.precision_recall_curve(label, score)
        return sklearn.metrics.auc(recall, precision)

    return {"inside": inside, "outside": outside, "auroc": sklearn.metrics.roc_auc_score(label, score),
            "fpr80": fpr[np.argmax(tpr >= 0.8)],
            "average_precision": sklearn.metrics.average_precision_score(label, score),
            "area": area(label, score),
            "average_precision_out": sklearn.metrics.average_precision_score(1 - label, -score),
            "area_out": area(1 - label, -score)}


def entropy(rng):
    points = np.float32(rng.standard_normal((513, 2)) * [1, 0.3] + [2, 0])
    points[100] = points[300]  # two that coincide are no three

    def estimate(k):
        e = scipy.spatial.cKDTree(points.astype(float)).query(points.astype(float), k + 1)[0][:, k]
        return (scipy.special.digamma(len(points)) - scipy.special.digamma(k) + np.log(np.pi) + 2 * np.log(e).mean())

    return {"points": points, "third": estimate(3), "tenth": estimate(10)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default="tests/golden/metrics/measures.h5")
    rng = np.random.default_rng(20211206)
    groups = {"modes": modes(rng), "inception": inception(rng), "permutations": permutations(),
              "frechet/full": frechet(rng, 17, 301, 60), "frechet/few": frechet(rng, 40, 29, 31),
              "frechet/one_few": frechet(rng, 23, 11, 127), "kernel": kernel(rng),
              "precision_recall": precision_recall(rng), "detection": detection(rng), "entropy": entropy(rng)}
    with h5py.File(parser.parse_args().out, "w") as file:
        for group, arrays in groups.items():
            for name, values in arrays.items():
                values = np.asarray(values)
                if values.dtype.kind == "i":
                    values = values.astype(np.int64)
                compressed = {"compression": "gzip", "shuffle": True} if values.size > 500 else {}
                file.create_dataset(f"{group}/{name}", data=values, **compressed)
    for case in ("full", "few", "one_few"):
        exact, root = (groups[f"frechet/{case}"][name] for name in ("distance", "distance_sqrtm"))
        print(f"frechet/{case}: {exact}, sqrtm {abs(root / exact - 1):.1e} from it")


if __name__ == "__main__":
    main()
