// SPDX-License-Identifier: MIT
#include "report/paper_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "core/error.h"

namespace ebm {

namespace {

struct Column {
  const char* title;
  const char* data;
  const char* metric;
  const char* value;
  int decimals;
};
struct PaperRow {
  const char* method;
  const char* title;
  std::vector<const char*> cells;  // as printed, one a column
};
struct PaperTable {
  int64_t number;
  const char* title;
  std::vector<Column> columns;
  std::vector<PaperRow> rows;
};

std::vector<PaperTable> tables() {
  return {
      {1,
       "Table 1: modes of StackedMNIST, of 1000, and KL divergence",
       {{"Modes↑", "stacked_mnist", "modes", "modes", 1}, {"KL↓", "stacked_mnist", "modes", "kl", 3}},
       {{"dcgan", "DCGAN", {"392 ± 7.4", "8.012 ± 0.056"}},
        {"sngan", "SNGAN", {"441 ± 39.0", "2.755 ± 0.033"}},
        {"wgan_0gp", "WGAN-0GP", {"1000 ± 0.0", "0.048 ± 0.003"}},
        {"meg", "MEG", {"1000 ± 0.0", "0.042 ± 0.004"}},
        {"vera", "VERA", {"989 ± 9.0", "0.152 ± 0.037"}},
        {"ebm_0gp", "EBM-0GP", {"1000 ± 0.0", "0.039 ± 0.003"}},
        {"ebm_bb", "EBM-BB", {"1000 ± 0.0", "0.045 ± 0.003"}}}},
      {2,
       "Table 2: anisotropy indices",
       {{"CIFAR-10↓", "cifar10", "jacobian", "anisotropy", 4},
        {"ANIMEFACE↓", "animeface", "jacobian", "anisotropy", 4}},
       {{"wgan_0gp", "WGAN-0GP", {"1.0823 ± 0.005", "2.4366 ± 0.129"}},
        {"meg", "MEG", {"0.9467 ± 0.009", "2.3600 ± 0.142"}},
        {"vera", "VERA", {"3.9694 ± 0.055", "2.2929 ± 0.2074"}},
        {"ebm_0gp", "EBM-0GP", {"1.0688 ± 0.0226", "3.4560 ± 0.0521"}},
        {"ebm_bb", "EBM-BB", {"0.9431 ± 0.0191", "1.8016 ± 0.1345"}}}},
      {4,
       "Table 4: out-of-distribution detection by -E(x)",
       {{"CIFAR-10 / SVHN AUROC↑", "cifar10", "ood_svhn", "auroc", 3},
        {"AUPRC↑", "cifar10", "ood_svhn", "auprc", 3},
        {"FPR80↓", "cifar10", "ood_svhn", "fpr80", 3},
        {"CIFAR-10 / CIFAR-100 AUROC↑", "cifar10", "ood_cifar100", "auroc", 3},
        {"AUPRC↑", "cifar10", "ood_cifar100", "auprc", 3},
        {"FPR80↓", "cifar10", "ood_cifar100", "fpr80", 3},
        {"ANIMEFACE / Bedroom AUROC↑", "animeface", "ood_bedroom", "auroc", 3},
        {"AUPRC↑", "animeface", "ood_bedroom", "auprc", 3},
        {"FPR80↓", "animeface", "ood_bedroom", "fpr80", 3}},
       {{"wgan_0gp", "WGAN-0GP", {"0.8", "0.83", "0.39", "0.54", "0.55", "0.77", "0.51", "0.48", "0.72"}},
        {"meg", "MEG", {"0.79", "0.81", "0.42", "0.52", "0.53", "0.8", "0.56", "0.53", "0.77"}},
        {"vera", "VERA", {"0.62", "0.64", "0.64", "0.51", "0.51", "0.79", "0.60", "0.525", "0.6"}},
        {"ebm_0gp", "EBM-0GP", {"0.66", "0.69", "0.67", "0.64", "0.63", "0.64", "0.67", "0.63", "0.53"}},
        {"ebm_bb", "EBM-BB", {"0.88", "0.86", "0.1997", "0.53", "0.52", "0.7765", "0.53", "0.505", "0.83"}}}},
  };
}

double mean_of(const std::vector<double>& x) {
  double sum = 0;
  for (const double value : x) sum += value;
  return sum / static_cast<double>(x.size());
}

std::string mean_and_spread(const std::vector<double>& x, int decimals) {
  const double mean = mean_of(x);
  if (x.size() < 2) return fmt::format("{:.{}f}", mean, decimals);
  double squares = 0;
  for (const double value : x) squares += std::pow(value - mean, 2);
  return fmt::format("{:.{}f} ± {:.{}f}", mean, decimals,
                     std::sqrt(squares / static_cast<double>(x.size() - 1)), decimals);
}

/// The numbers of one column of one method, and what its footnote says.
struct Found {
  std::vector<std::vector<double>> runs;  // repeats of each
  std::set<std::string> iterations, protocols;
};

Found found_of(const Column& column, const std::string& method, const std::vector<ReportedRun>& runs) {
  Found found;
  for (const ReportedRun& run : runs) {
    if (run.method != method || run.data != column.data) continue;
    for (const MeasuredMetric& metric : run.metrics) {
      if (metric.name != column.metric) continue;
      for (const MeasuredValue& value : metric.values)
        if (value.name == column.value && !value.repeats.empty()) found.runs.push_back(value.repeats);
      found.iterations.insert(fmt::format("{}", metric.iteration));
      found.protocols.insert(metric.protocol);
    }
  }
  return found;
}

std::string cell_of(const Found& found, int decimals) {
  if (found.runs.empty()) return "";
  if (found.runs.size() == 1) return mean_and_spread(found.runs.front(), decimals);
  std::vector<double> means;
  for (const std::vector<double>& repeats : found.runs) means.push_back(mean_of(repeats));
  return mean_and_spread(means, decimals);
}

std::string listed(const std::set<std::string>& parts, const char* between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

}  // namespace

Table paper_table(int64_t number, const std::vector<ReportedRun>& runs) {
  const std::vector<PaperTable> all = tables();
  const auto paper =
      std::find_if(all.begin(), all.end(), [&](const PaperTable& t) { return t.number == number; });
  if (paper == all.end()) throw Error(fmt::format("table {} is not made here; give 1, 2 or 4", number));
  Table table{.title = paper->title, .header = {"Model"}, .rows = {}, .footnotes = {}};
  for (const Column& column : paper->columns) {
    table.header.emplace_back(column.title);
    table.header.emplace_back("paper");
  }
  std::set<std::string> protocols;
  for (const PaperRow& row : paper->rows) {
    std::vector<std::string> cells{row.title};
    size_t count = 0;
    std::set<std::string> iterations;
    for (size_t i = 0; i < paper->columns.size(); ++i) {
      const Found found = found_of(paper->columns[i], row.method, runs);
      cells.push_back(cell_of(found, paper->columns[i].decimals));
      cells.emplace_back(row.cells[i]);
      count = std::max(count, found.runs.size());
      iterations.insert(found.iterations.begin(), found.iterations.end());
      protocols.insert(found.protocols.begin(), found.protocols.end());
    }
    table.rows.push_back(std::move(cells));
    if (count > 0)
      table.footnotes.push_back(fmt::format("{}: {} {}, {} iterations; ± over {}", row.title, count,
                                            count == 1 ? "run" : "runs", listed(iterations, " and "),
                                            count == 1 ? "its repeats" : "runs"));
  }
  for (const std::string& protocol : protocols) table.footnotes.push_back("measured: " + protocol);
  return table;
}

}  // namespace ebm
