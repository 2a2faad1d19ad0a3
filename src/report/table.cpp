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

std::string joined(const Row& row, const std::string& between, const Escape& escape) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) line += (i > 0 ? between : "") + escape(row[i]);
  return line;
}

std::string as_text(const Table& table) {
  std::vector<size_t> widths(table.header.size(), 0);
  const auto measure = [&](const Row& row) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  };
  measure(table.header);
  for (const Row& row : table.rows) measure(row);
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
  for (const Row& row : table.rows) text += line(row);
  for (const std::string& note : table.footnotes) text += note + "\n";
  return text;
}

std::string as_csv(const Table& table) {
  const Escape quoted = [](const std::string& cell) {
    if (cell.find_first_of(",\"\n") == std::string::npos) return cell;
    return "\"" + replaced(cell, {{"\"", "\"\""}}) + "\"";
  };
  std::string text = joined(table.header, ",", quoted) + "\n";
  for (const Row& row : table.rows) text += joined(row, ",", quoted) + "\n";
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
  for (const Row& row : table.rows) text += joined(row, " & ", escape) + " \\\\\n";
  text += "\\bottomrule\n\\end{tabular}\n";
  for (const std::string& note : table.footnotes) text += "% " + note + "\n";
  return text;
}

std::string as_html(const Table& table) {
  const Escape escape = html_escaped;
  std::string text = "<table>\n<caption>" + escape(table.title) + "</caption>\n<thead><tr><th>" +
                     joined(table.header, "</th><th>", escape) + "</th></tr></thead>\n<tbody>\n";
  for (const Row& row : table.rows) text += "<tr><td>" + joined(row, "</td><td>", escape) + "</td></tr>\n";
  text += "</tbody>\n</table>\n";
  for (const std::string& note : table.footnotes) text += "<p>" + escape(note) + "</p>\n";
  return text;
}

}  // namespace

std::string mean_and_spread(const std::vector<double>& x) {
  if (x.empty()) return "";
  const double mean = mean_and_deviation(x).mean;
  if (x.size() == 1) return fmt::format("{:.5g}", mean);
  return fmt::format("{:.5g} ± {:.2g}", mean, sample_deviation(x));
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
