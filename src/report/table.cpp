// SPDX-License-Identifier: MIT
#include "report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "metrics/spread.h"
#include "report/html.h"

namespace ebm {

namespace {

using Row = std::vector<std::string>;
using Escape = std::function<std::string(const std::string&)>;

/// Characters as a terminal counts them: without the bytes that continue one in UTF-8.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string replaced(std::string text, const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) {
      return text.compare(i, pair.first.size(), pair.first) == 0;
    });
    result += found == pairs.end() ? std::string(1, text[i]) : found->second;
    i += found == pairs.end() ? 1 : found->first.size();
  }
  return result;
}

/// The cells of a row, each with its mark behind it.
std::string joined(const Row& row, const std::string& between, const Escape& escape, const Row& marks = {}) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i)
    line += (i > 0 ? between : "") + escape(row[i]) + (marks.empty() ? "" : marks[i]);
  return line;
}

/// a, b, ... z, aa, ...: of each footnote that belongs to cells; "" of the others.
std::vector<std::string> letters_of(const Table& table) {
  std::vector<std::string> letters(table.footnotes.size());
  size_t count = 0;
  for (size_t note = 0; note < letters.size(); ++note) {
    const bool marked = std::any_of(table.marks.begin(), table.marks.end(),
                                    [&](const Table::Mark& mark) { return mark.note == note; });
    if (!marked) continue;
    for (size_t rest = ++count; rest > 0; rest = (rest - 1) / 26)
      letters[note].insert(letters[note].begin(), static_cast<char>('a' + (rest - 1) % 26));
  }
  return letters;
}

/// What stands behind each cell of a row: its letters between these two, or "".
Row marks_of(const Table& table, size_t row, const std::string& before, const std::string& after) {
  const std::vector<std::string> letters = letters_of(table);
  Row marks(table.header.size());
  for (const Table::Mark& mark : table.marks) {
    if (mark.row != row) continue;
    std::string& text = marks[mark.column];
    text += (text.empty() ? before : ",") + letters[mark.note];
  }
  for (std::string& text : marks)
    if (!text.empty()) text += after;
  return marks;
}

std::string as_text(const Table& table) {
  std::vector<Row> rows = table.rows;
  for (size_t r = 0; r < rows.size(); ++r) {
    const Row marks = marks_of(table, r, " [", "]");
    for (size_t i = 0; i < rows[r].size(); ++i) rows[r][i] += marks[i];
  }
  std::vector<size_t> widths(table.header.size(), 0);
  const auto measure = [&](const Row& row) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  };
  measure(table.header);
  for (const Row& row : rows) measure(row);
  const auto line = [&](const Row& row) {
    std::string text;
    for (size_t i = 0; i < row.size(); ++i)
      text += row[i] + std::string(widths[i] - width_of(row[i]) + (i + 1 < row.size() ? 2 : 0), ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  size_t total = 2 * (widths.size() - 1);
  for (const size_t width : widths) total += width;
  std::string text = table.title + "\n" + line(table.header) + std::string(total, '-') + "\n";
  for (const Row& row : rows) text += line(row);
  const std::vector<std::string> letters = letters_of(table);
  for (size_t note = 0; note < letters.size(); ++note)
    text += (letters[note].empty() ? "" : "[" + letters[note] + "] ") + table.footnotes[note] + "\n";
  return text;
}

/// The footnotes of a row, those of cells behind the names of their columns.
std::string notes_of(const Table& table, size_t row) {
  std::string text;
  for (size_t note = 0; note < table.footnotes.size(); ++note) {
    std::string columns;
    bool belongs = false;
    for (const Table::Mark& mark : table.marks) {
      if (mark.row != row || mark.note != note) continue;
      belongs = true;
      if (mark.column > 0) columns += (columns.empty() ? "" : ", ") + table.header[mark.column];
    }
    if (!belongs) continue;
    text += (text.empty() ? "" : "; ") + columns + (columns.empty() ? "" : ": ") + table.footnotes[note];
  }
  return text;
}

std::string as_csv(const Table& table) {
  const Escape quoted = [](const std::string& cell) {
    if (cell.find_first_of(",\"\n") == std::string::npos) return cell;
    return "\"" + replaced(cell, {{"\"", "\"\""}}) + "\"";
  };
  std::string text = joined(table.header, ",", quoted) + ",notes\n";
  for (size_t r = 0; r < table.rows.size(); ++r)
    text += joined(table.rows[r], ",", quoted) + "," + quoted(notes_of(table, r)) + "\n";
  return text;
}

std::string as_latex(const Table& table) {
  const Escape escape = [](const std::string& cell) {
    return replaced(cell, {{"\\", "\\textbackslash{}"},
                           {"&", "\\&"},
                           {"%", "\\%"},
                           {"#", "\\#"},
                           {"_", "\\_"},
                           {"$", "\\$"},
                           {"{", "\\{"},
                           {"}", "\\}"},
                           {"~", "\\textasciitilde{}"},
                           {"^", "\\textasciicircum{}"},
                           {"±", "$\\pm$"},
                           {"↑", "$\\uparrow$"},
                           {"↓", "$\\downarrow$"}});
  };
  std::string text = "% " + table.title + "\n\\begin{tabular}{l" + std::string(table.header.size() - 1, 'c') +
                     "}\n\\toprule\n" + joined(table.header, " & ", escape) + " \\\\\n\\midrule\n";
  for (size_t r = 0; r < table.rows.size(); ++r)
    text += joined(table.rows[r], " & ", escape, marks_of(table, r, "\\textsuperscript{", "}")) + " \\\\\n";
  text += "\\bottomrule\n\\end{tabular}\n";
  const std::vector<std::string> letters = letters_of(table);
  for (size_t note = 0; note < letters.size(); ++note)
    text += "\n{\\footnotesize " +
            (letters[note].empty() ? "" : "\\textsuperscript{" + letters[note] + "} ") +
            escape(table.footnotes[note]) + "\\par}\n";
  return text;
}

std::string as_html(const Table& table) {
  const Escape escape = html_escaped;
  std::string text = "<table>\n<caption>" + escape(table.title) + "</caption>\n<thead><tr><th>" +
                     joined(table.header, "</th><th>", escape) + "</th></tr></thead>\n<tbody>\n";
  for (size_t r = 0; r < table.rows.size(); ++r)
    text += "<tr><td>" + joined(table.rows[r], "</td><td>", escape, marks_of(table, r, "<sup>", "</sup>")) +
            "</td></tr>\n";
  text += "</tbody>\n</table>\n";
  const std::vector<std::string> letters = letters_of(table);
  for (size_t note = 0; note < letters.size(); ++note)
    text += "<p>" + (letters[note].empty() ? "" : "<sup>" + letters[note] + "</sup> ") +
            escape(table.footnotes[note]) + "</p>\n";
  return text;
}

}  // namespace

std::string mean_and_spread(const std::vector<double>& x) {
  if (x.empty()) return "";
  const double mean = mean_and_deviation(x).mean;
  if (x.size() == 1) return fmt::format("{:.5g}", mean);
  return fmt::format("{:.5g} ± {:.2g}", mean, sample_deviation(x));
}

void Table::mark(size_t row, size_t column, const std::string& text) {
  const auto found = std::find(footnotes.begin(), footnotes.end(), text);
  const size_t note = static_cast<size_t>(found - footnotes.begin());
  if (found == footnotes.end()) footnotes.push_back(text);
  marks.push_back({row, column, note});
}

std::string written(const Table& table, TableFormat format) {
  switch (format) {
    case TableFormat::text:
      return as_text(table);
    case TableFormat::csv:
      return as_csv(table);
    case TableFormat::latex:
      return as_latex(table);
    case TableFormat::html:
      break;
  }
  return as_html(table);
}

}  // namespace ebm
