// SPDX-License-Identifier: MIT
// A table of text, and how it is written.
#pragma once

#include <string>
#include <vector>

namespace ebm {

struct Table {
  /// Footnote number `note` belongs to a cell; in column 0, to the row.
  struct Mark {
    size_t row, column, note;
  };

  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // each as long as the header; "" stays empty
  std::vector<std::string> footnotes;
  std::vector<Mark> marks = {};

  /// Marks a cell with a footnote, which is the one that is there where its text is the same.
  void mark(size_t row, size_t column, const std::string& text);
};

/// A cell: "1.25 ± 0.5", the mean and the standard deviation (divisor n - 1); of one number it alone, of none "".
std::string mean_and_spread(const std::vector<double>& x);

enum class TableFormat { text, csv, latex, html };

/// The whole table with a line end. Footnotes that belong to cells have letters, a, b, ..., which stand in the
/// cells: in brackets, or raised. csv: header and rows alone (RFC 4180), and a last column, notes, with the row's
/// footnotes, those of cells behind the names of their columns. latex: an environment `tabular` with booktabs'
/// rules, the footnotes below. In latex and html the signs that these take for their own are escaped.
std::string written(const Table& table, TableFormat format);

}  // namespace ebm
