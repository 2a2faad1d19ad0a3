// SPDX-License-Identifier: MIT
// A table of text, and how it is written.
#pragma once

#include <string>
#include <vector>

namespace ebm {

struct Table {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // each as long as the header; "" stays empty
  std::vector<std::string> footnotes;
};

/// A cell: "1.25 ± 0.5", the mean and the standard deviation (divisor n - 1); of one number it alone, of none "".
std::string mean_and_spread(const std::vector<double>& x);

enum class TableFormat { text, csv, latex, html };

/// The whole table with a line end. csv: header and rows alone (RFC 4180). latex: an environment `tabular` with
/// booktabs' rules. In latex and html the signs that these take for their own are escaped.
std::string written(const Table& table, TableFormat format);

}  // namespace ebm
