// SPDX-License-Identifier: MIT
#include "report/paper_numbers.h"

namespace ebm {

namespace {

constexpr const char *cifar10 = "cifar10", *animeface = "animeface", *mnist = "mnist", *shapes = "shapes";

/// Detection of a data set, of which the paper names no split; older programs named none either.
std::vector<std::string> of_any_split(const std::string& metric) {
  return {metric + "_test", metric + "_valid", metric + "_train", metric + "_extra", metric};
}

}  // namespace

const std::vector<PaperTable>& paper_numbers() {
  static const std::vector<PaperTable> tables{
      {1,
       "Table 1: modes of StackedMNIST, of 1000, and KL divergence",
       "--metrics modes",
       {{"Modes↑", "stacked_mnist", {"modes"}, "modes", 1}, {"KL↓", "stacked_mnist", {"modes"}, "kl", 3}},
       {{"dcgan", "DCGAN", {"392 ± 7.4", "8.012 ± 0.056"}},
        {"sngan", "SNGAN", {"441 ± 39.0", "2.755 ± 0.033"}},
        {"wgan_0gp", "WGAN-0GP", {"1000 ± 0.0", "0.048 ± 0.003"}},
        {"meg", "MEG", {"1000 ± 0.0", "0.042 ± 0.004"}},
        {"vera", "VERA", {"989 ± 9.0", "0.152 ± 0.037"}},
        {"ebm_0gp", "EBM-0GP", {"1000 ± 0.0", "0.039 ± 0.003"}},
        {"ebm_bb", "EBM-BB", {"1000 ± 0.0", "0.045 ± 0.003"}}}},
      {2,
       "Table 2: anisotropy indices",
       "--metrics anisotropy",
       {{"CIFAR-10↓", "cifar10", {"anisotropy", "jacobian"}, "anisotropy", 4},
        {"ANIMEFACE↓", "animeface", {"anisotropy", "jacobian"}, "anisotropy", 4}},
       {{"wgan_0gp", "WGAN-0GP", {"1.0823 ± 0.005", "2.4366 ± 0.129"}},
        {"meg", "MEG", {"0.9467 ± 0.009", "2.3600 ± 0.142"}},
        {"vera", "VERA", {"3.9694 ± 0.055", "2.2929 ± 0.2074"}},
        {"ebm_0gp", "EBM-0GP", {"1.0688 ± 0.0226", "3.4560 ± 0.0521"}},
        {"ebm_bb", "EBM-BB", {"0.9431 ± 0.0191", "1.8016 ± 0.1345"}}}},
      {3,
       "Table 3: inception score, FID, F8 (recall weighs more) and F1/8 (precision)",
       "--metrics is,fid,prd",
       {{"Inception↑", nullptr, {"is"}, "mean", 2},
        {"FID↓", nullptr, {"fid"}, "distance", 2},
        {"F8↑", nullptr, {"prd"}, "f8", 3},
        {"F1/8↑", nullptr, {"prd"}, "f1_8", 3}},
       {{nullptr, "CIFAR-10"},
        {"dcgan", "DCGAN", {"6.64", "49.03", "0.795", "0.83"}, cifar10},
        {"wgan_0gp", "WGAN-0GP", {"7.24 ± 0.035", "29.31 ± 0.185", "0.92 ± 0.010", "0.95 ± 0.010"}, cifar10},
        {"", "CoopNets (2018a)", {"6.55", "36.4", "-", "-"}, cifar10},
        {"", "CoopNets (2021a)", {"-", "33.61", "-", "-"}, cifar10},
        {"", "EBM-VAE", {"6.65", "36.2", "-", "-"}, cifar10},
        {"", "IGEBM", {"6.78", "38.2", "-", "-"}, cifar10},
        {"meg", "MEG", {"6.62 ± 0.243", "34.55 ± 1.145", "0.88 ± 0.001", "0.92 ± 0.010"}, cifar10},
        {"vera", "VERA", {"5.06 ± 0.555", "66.38 ± 6.635", "0.58 ± 0.080", "0.79 ± 0.005"}, cifar10},
        {"", "NCSN", {"8.87 ± 0.12", "25.32", "-", "-"}, cifar10},
        {"", "DDPM", {"9.03", "7.76", "0.98", "0.99"}, cifar10},
        {"ebm_0gp", "EBM-0GP", {"6.90 ± 0.032", "35.42 ± 0.582", "0.90 ± 0.004", "0.93 ± 0.002"}, cifar10},
        {"ebm_bb", "EBM-BB", {"7.45 ± 0.014", "28.63 ± 0.290", "0.93 ± 0.001", "0.95 ± 0.008"}, cifar10},
        {"sngan", "SNGAN", {"", "", "", ""}, cifar10},
        {nullptr, "ANIMEFACE"},
        {"wgan_0gp", "WGAN-0GP", {"2.22 ± 0.030", "9.76 ± 0.674", "0.95 ± 0.005", "0.98 ± 0.005"}, animeface},
        {"meg", "MEG", {"2.20 ± 0.020", "9.31 ± 0.007", "0.95 ± 0.005", "0.98 ± 0.001"}, animeface},
        {"vera", "VERA", {"2.15 ± 0.001", "41.00 ± 1.072", "0.515 ± 0.078", "0.78 ± 0.013"}, animeface},
        {"", "DDPM", {"2.18", "8.81", "0.94", "0.98"}, animeface},
        {"ebm_0gp",
         "EBM-0GP",
         {"2.26 ± 0.017", "20.53 ± 0.524", "0.889 ± 0.008", "0.909 ± 0.019"},
         animeface},
        {"ebm_bb", "EBM-BB", {"2.26 ± 0.005", "12.75 ± 0.045", "0.94 ± 0.001", "0.96 ± 0.005"}, animeface}}},
      {4,
       "Table 4: out-of-distribution detection by -E(x)",
       "--metrics ood=FILE",
       {{"CIFAR-10 / SVHN AUROC↑", "cifar10", of_any_split("ood_svhn"), "auroc", 3},
        {"AUPRC↑", "cifar10", of_any_split("ood_svhn"), "auprc", 3},
        {"FPR80↓", "cifar10", of_any_split("ood_svhn"), "fpr80", 3},
        {"CIFAR-10 / CIFAR-100 AUROC↑", "cifar10", of_any_split("ood_cifar100"), "auroc", 3},
        {"AUPRC↑", "cifar10", of_any_split("ood_cifar100"), "auprc", 3},
        {"FPR80↓", "cifar10", of_any_split("ood_cifar100"), "fpr80", 3},
        {"ANIMEFACE / Bedroom AUROC↑", "animeface", of_any_split("ood_bedroom"), "auroc", 3},
        {"AUPRC↑", "animeface", of_any_split("ood_bedroom"), "auprc", 3},
        {"FPR80↓", "animeface", of_any_split("ood_bedroom"), "fpr80", 3}},
       {{"wgan_0gp", "WGAN-0GP", {"0.8", "0.83", "0.39", "0.54", "0.55", "0.77", "0.51", "0.48", "0.72"}},
        {"meg", "MEG", {"0.79", "0.81", "0.42", "0.52", "0.53", "0.8", "0.56", "0.53", "0.77"}},
        {"vera", "VERA", {"0.62", "0.64", "0.64", "0.51", "0.51", "0.79", "0.60", "0.525", "0.6"}},
        {"ebm_0gp", "EBM-0GP", {"0.66", "0.69", "0.67", "0.64", "0.63", "0.64", "0.67", "0.63", "0.53"}},
        {"ebm_bb", "EBM-BB", {"0.88", "0.86", "0.1997", "0.53", "0.52", "0.7765", "0.53", "0.505", "0.83"}}}},
  };
  return tables;
}

const PaperTable& shapes_table() {
  static const PaperTable table{
      1,
      "Table 1's protocol on shapes: modes, of 100, KL divergence, samples near a mode",
      "--metrics modes",
      {{"Modes↑", shapes, {"modes"}, "modes", 1},
       {"KL↓", shapes, {"modes"}, "kl", 3},
       {"High quality↑", shapes, {"modes"}, "high_quality", 3}},
      {{"dcgan", "DCGAN"},
       {"sngan", "SNGAN"},
       {"wgan_0gp", "WGAN-0GP"},
       {"meg", "MEG"},
       {"vera", "VERA"},
       {"ebm_0gp", "EBM-0GP"},
       {"ebm_bb", "EBM-BB"}}};
  return table;
}

const PaperTable& classifier_table() {
  static const PaperTable table{
      3,
      "Samples compared by features of a classifier trained here: neither inception scores nor FIDs",
      "--metrics is,fid,kid,prd --features classifier",
      {{"classifier score↑", nullptr, {"classifier_score"}, "mean", 3},
       {"classifier Frechet↓", nullptr, {"classifier_frechet"}, "distance", 3},
       {"classifier kernel distance↓", nullptr, {"classifier_kernel_distance"}, "mean", 4},
       {"classifier F8↑", nullptr, {"classifier_precision_recall"}, "f8", 3},
       {"classifier F1/8↑", nullptr, {"classifier_precision_recall"}, "f1_8", 3}},
      {{nullptr, "CIFAR-10"},
       {"dcgan", "DCGAN", {}, cifar10},
       {"sngan", "SNGAN", {}, cifar10},
       {"wgan_0gp", "WGAN-0GP", {}, cifar10},
       {"meg", "MEG", {}, cifar10},
       {"vera", "VERA", {}, cifar10},
       {"ebm_0gp", "EBM-0GP", {}, cifar10},
       {"ebm_bb", "EBM-BB", {}, cifar10},
       {nullptr, "MNIST"},
       {"dcgan", "DCGAN", {}, mnist},
       {"sngan", "SNGAN", {}, mnist},
       {"wgan_0gp", "WGAN-0GP", {}, mnist},
       {"meg", "MEG", {}, mnist},
       {"vera", "VERA", {}, mnist},
       {"ebm_0gp", "EBM-0GP", {}, mnist},
       {"ebm_bb", "EBM-BB", {}, mnist}}};
  return table;
}

const std::vector<PaperTime>& paper_times() {
  static const std::vector<PaperTime> times{{nullptr, "CIFAR-10"},
                                            {"wgan_0gp", "WGAN-0GP", cifar10, 100000, 4},
                                            {"meg", "MEG", cifar10, 100000, 4.5},
                                            {"vera", "VERA", cifar10, 200000, 10},
                                            {"ebm_0gp", "EBM-0GP", cifar10, 200000, 15},
                                            {"ebm_bb", "EBM-BB", cifar10, 200000, 20},
                                            {"dcgan", "DCGAN", cifar10},
                                            {"sngan", "SNGAN", cifar10},
                                            {nullptr, "ANIMEFACE"},
                                            {"wgan_0gp", "WGAN-0GP", animeface, 100000, 13},
                                            {"meg", "MEG", animeface, 100000, 20},
                                            {"vera", "VERA", animeface, 200000, 44},
                                            {"ebm_0gp", "EBM-0GP", animeface, 100000, 38},
                                            {"ebm_bb", "EBM-BB", animeface, 100000, 40}};
  return times;
}

}  // namespace ebm
