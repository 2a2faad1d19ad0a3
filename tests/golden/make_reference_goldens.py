# SPDX-License-Identifier: MIT
"""Makes tests/golden/metrics/references.h5: inception score, Frechet and kernel distance by torch-fidelity's own functions,
precision and recall by prd_score.py of their authors.

    git clone https://github.com/msmsajjadi/precision-recall-distributions     # anywhere
    pip install torch torch-fidelity h5py scikit-learn
    python3 tests/golden/make_reference_goldens.py --prd precision-recall-distributions [--out tests/golden/metrics/references.h5]

Features are float32 and what was used; the functions are given them as float64, so that none of them sums in float32.
The clusters of prd_score.py are random (MiniBatchKMeans), so its histograms of each run are kept: shares of the real and
of the generated samples, runs x clusters.
"""
import argparse
import sys
import types

import h5py
import numpy as np
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric


def doubles(x):
    return torch.from_numpy(x).double()


def inception(rng):
    logits = np.float32(2 * rng.standard_normal((211, 31)))
    both = lambda splits, shuffle: list(isc_features_to_metric(doubles(logits), splits, shuffle).values())
    return {"logits": logits, "ten_shuffled": both(10, True), "three": both(3, False)}


def frechet(rng, dim, first, second):
    """Features behind a ReLU, correlated, as Inception's are."""
    mix = rng.standard_normal((dim, dim))
    x, y = (np.float32(np.maximum(s * rng.standard_normal((n, dim)) @ mix, 0)) for n, s in ((first, 0.3), (second, 0.4)))
    statistics = [fid_features_to_statistics(doubles(z)) for z in (x, y)]
    return {"x": x, "y": y, "distance": list(fid_statistics_to_metric(*statistics, False).values())}


def kernel(rng):
    x = np.float32(np.maximum(rng.standard_normal((130, 17)), 0))
    y = np.float32(np.maximum(1.3 * rng.standard_normal((95, 17)), 0))
    metric = kid_features_to_metric(doubles(x), doubles(y), kid_subsets=9, kid_subset_size=53, verbose=False)
    return {"x": x, "y": y, "mean_and_deviation": list(metric.values())}


def precision_recall(rng, folder):
    sys.modules.setdefault("matplotlib", types.SimpleNamespace(pyplot=None))  # it draws too
    sys.path.insert(0, folder)
    import prd_score
    bins, cluster = [], prd_score._cluster_into_bins
    prd_score._cluster_into_bins = lambda *data: bins.append(cluster(*data)) or bins[-1]
    real, generated = rng.standard_normal((300, 6)), 1.5 * rng.standard_normal((300, 6)) + 0.7
    np.random.seed(2018)
    precision, recall = prd_score.compute_prd_from_embedding(generated, real)
    f8, f1_8 = prd_score.prd_to_max_f_beta_pair(np.clip(precision, 0, 1), np.clip(recall, 0, 1))
    return {"real": [r for _, r in bins], "generated": [g for g, _ in bins], "precision": precision, "recall": recall,
            "f8": f8, "f1_8": f1_8}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--prd", required=True, help="folder of prd_score.py")
    parser.add_argument("--out", default="tests/golden/metrics/references.h5")
    options = parser.parse_args()
    rng = np.random.default_rng(20211207)
    groups = {"inception": inception(rng), "frechet/full": frechet(rng, 19, 157, 90), "frechet/few": frechet(rng, 37, 29, 31),
              "kernel": kernel(rng), "precision_recall": precision_recall(rng, options.prd)}
    with h5py.File(options.out, "w") as file:
        for group, arrays in groups.items():
            for name, values in arrays.items():
                values = np.asarray(values)
                compressed = {"compression": "gzip", "shuffle": True} if values.size > 500 else {}
                file.create_dataset(f"{group}/{name}", data=values, **compressed)
                if values.size < 3:
                    print(f"{group}/{name}: {values}")


if __name__ == "__main__":
    main()
