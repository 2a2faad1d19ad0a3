// SPDX-License-Identifier: MIT
#include "report/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "io/atomic_file.h"
#include "io/config_values.h"
#include "report/html.h"
#include "report/metric_curves.h"
#include "report/report_page.h"
#include "report/table.h"

namespace ebm {

namespace {

namespace fs = std::filesystem;

constexpr size_t most_points = 2000;  // of a curve

/// A picture without its bytes, by its file's name; nothing for other files.
std::optional<RunPicture> picture_named(const fs::path& file) {
  const std::map<std::string, std::string> types{{".png", "image/png"}, {".svg", "image/svg+xml"}};
  const auto type = types.find(file.extension().string());
  const std::string stem = file.stem().string();
  const size_t dash = stem.rfind('-');
  if (type == types.end() || dash == std::string::npos || dash == 0) return std::nullopt;
  RunPicture picture{.name = stem.substr(0, dash), .iteration = 0, .type = type->second, .bytes = {}};
  const char* end = stem.data() + stem.size();
  const auto [rest, error] = std::from_chars(stem.data() + dash + 1, end, picture.iteration);
  if (error != std::errc() || rest != end) return std::nullopt;
  return picture;
}

struct PictureFile {
  RunPicture picture;
  fs::path path;
};

std::vector<RunPicture> read_pictures(const fs::path& folder, size_t most) {
  std::map<std::string, std::vector<PictureFile>> by_name;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (auto picture = picture_named(entry.path()))
      by_name[picture->name].push_back({std::move(*picture), entry.path()});
  }
  std::vector<RunPicture> pictures;
  for (auto& [name, files] : by_name) {
    std::sort(files.begin(), files.end(), [](const PictureFile& a, const PictureFile& b) {
      return a.picture.iteration < b.picture.iteration;
    });
    const size_t count = std::min(most, files.size());
    for (size_t i = 0; i < count; ++i) {
      PictureFile& file = files[(i + 1) * files.size() / count - 1];
      file.picture.bytes = read_file(file.path);
      pictures.push_back(std::move(file.picture));
    }
  }
  return pictures;
}

/// A row for each name that any run has, in the order in which they come; the last cells a run each.
struct ComparedRow {
  std::string name;
  std::vector<std::string> cells;

  bool differs() const {
    return std::any_of(cells.begin(), cells.end(),
                       [this](const std::string& cell) { return cell != cells.front(); });
  }
};

std::vector<ComparedRow> compared(const std::vector<std::vector<NameValue>>& runs) {
  std::vector<ComparedRow> rows;
  for (size_t r = 0; r < runs.size(); ++r) {
    for (const NameValue& value : runs[r]) {
      auto row =
          std::find_if(rows.begin(), rows.end(), [&](const ComparedRow& x) { return x.name == value.name; });
      if (row == rows.end()) {
        rows.push_back({value.name, std::vector<std::string>(runs.size())});
        row = rows.end() - 1;
      }
      row->cells[r] = value.value;
    }
  }
  return rows;
}

std::string head_cells(const std::vector<RunOfReport>& runs) {
  std::string cells;
  for (size_t r = 0; r < runs.size(); ++r)
    cells +=
        fmt::format("<th scope=\"col\"><i class=\"ink k{}\"></i>{}</th>", r % 8, html_escaped(runs[r].name));
  return cells;
}

std::string comparison(const std::string& id, const std::string& title, const std::vector<RunOfReport>& runs,
                       const std::vector<std::vector<NameValue>>& values) {
  const std::vector<ComparedRow> rows = compared(values);
  std::string text = fmt::format("<section id=\"{0}\"><h2>{1}</h2>\n", id, title);
  if (runs.size() > 1)
    text += fmt::format("<label><input type=\"checkbox\" data-only=\"{}\"> only what differs</label>\n", id);
  text += "<div class=\"wide\"><table><thead><tr><th scope=\"col\">name</th>" + head_cells(runs) +
          "</tr></thead>\n<tbody>\n";
  for (const ComparedRow& row : rows) {
    text += fmt::format("<tr{}><th scope=\"row\">{}</th>", row.differs() ? " class=\"differs\"" : "",
                        html_escaped(row.name));
    for (const std::string& cell : row.cells) text += "<td>" + html_escaped(cell) + "</td>";
    text += "</tr>\n";
  }
  return text + "</tbody></table></div></section>\n";
}

/// What evaluation.h5 of each run holds; "" where none has one.
std::string measures(const std::vector<RunOfReport>& runs) {
  Table table{
      .title = "Mean ± standard deviation of repeats", .header = {"measure"}, .rows = {}, .footnotes = {}};
  std::vector<std::vector<NameValue>> values(runs.size());
  for (size_t r = 0; r < runs.size(); ++r) {
    table.header.push_back(runs[r].name);
    for (const MeasuredMetric& metric : runs[r].measured) {
      for (const MeasuredValue& value : metric.values) {
        values[r].push_back(
            {metric.name + " " + value.name,
             fmt::format("{} (iteration {})", mean_and_spread(value.repeats), metric.iteration)});
      }
    }
  }
  for (ComparedRow& row : compared(values)) {
    row.cells.insert(row.cells.begin(), row.name);
    table.rows.push_back(std::move(row.cells));
  }
  if (table.rows.empty()) return "";
  for (size_t r = 0; r < runs.size(); ++r) {
    for (const MeasuredMetric& metric : runs[r].measured) {
      for (size_t row = 0; row < table.rows.size(); ++row)
        if (table.rows[row].front().starts_with(metric.name + " "))
          table.mark(row, r + 1, metric.name + ": " + metric.protocol);
    }
  }
  return "<section id=\"measures\"><h2>Measured</h2>\n<div class=\"wide\">" +
         written(table, TableFormat::html) + "</div></section>\n";
}

std::string sections_of(const std::vector<Table>& tables) {
  std::string text;
  for (const Table& table : tables) {
    text += "<section class=\"paper\"><div class=\"wide\">" + written(table, TableFormat::html) +
            "</div></section>\n";
  }
  return text;
}

std::string data_uri(const RunPicture& picture) {
  return "data:" + picture.type + ";base64," + base64(picture.bytes);
}

const RunPicture* newest(const RunOfReport& run, const std::string& name) {
  const RunPicture* found = nullptr;
  for (const RunPicture& picture : run.pictures) {
    if (picture.name == name) found = &picture;
  }
  return found;
}

/// The newest picture of each run; the script moves to the others.
std::string pictures(const std::vector<RunOfReport>& runs) {
  std::set<std::string> names;
  for (const RunOfReport& run : runs) {
    for (const RunPicture& picture : run.pictures) names.insert(picture.name);
  }
  std::string text;
  for (const std::string& name : names) {
    text += fmt::format(
        "<section class=\"pictures\" data-pictures=\"{0}\"><h2>{0}</h2>\n"
        "<div class=\"slider\"></div><div class=\"beside\">\n",
        html_escaped(name));
    for (size_t r = 0; r < runs.size(); ++r) {
      const RunPicture* picture = newest(runs[r], name);
      if (picture == nullptr) continue;
      text += fmt::format(
          "<figure><figcaption><i class=\"ink k{}\"></i>{} <span>iteration {}</span></figcaption>\n"
          "<img data-run=\"{}\" alt=\"{} of {}\" src=\"{}\"></figure>\n",
          r % 8, html_escaped(runs[r].name), picture->iteration, r, html_escaped(name),
          html_escaped(runs[r].name), data_uri(*picture));
    }
    text += "</div></section>\n";
  }
  return text;
}

/// {"runs": [{"name", "metrics": {NAME: {"x": [iterations], "y": [values]}}, "pictures": {NAME: [[iteration, URI]]}}]};
/// the URI of the newest picture is "": the page has it.
std::string data_of(const RunOfReport& run) {
  std::string metrics, pictures;
  for (const MetricCurve& whole : metric_curves(run.log.metrics)) {
    const MetricCurve curve = thinned(whole, most_points);
    std::string x, y;
    for (size_t i = 0; i < curve.values.size(); ++i) {
      const char* comma = i > 0 ? "," : "";
      x += comma + std::to_string(curve.iterations[i]);
      y += comma + json_number(curve.values[i]);
    }
    metrics +=
        (metrics.empty() ? "" : ",\n") + json_string(curve.name) + ":{\"x\":[" + x + "],\"y\":[" + y + "]}";
  }
  std::map<std::string, std::string> lists;
  for (const RunPicture& picture : run.pictures) {
    std::string& list = lists[picture.name];
    const bool on_page = newest(run, picture.name) == &picture;
    list += fmt::format("{}[{},\"{}\"]", list.empty() ? "" : ",\n", picture.iteration,
                        on_page ? "" : data_uri(picture));
  }
  for (const auto& [name, list] : lists)
    pictures += (pictures.empty() ? "" : ",\n") + json_string(name) + ":[" + list + "]";
  return "{\"name\":" + json_string(run.name) + ",\"metrics\":{" + metrics + "},\"pictures\":{" + pictures +
         "}}";
}

std::string title_of(const std::vector<RunOfReport>& runs) {
  std::string names;
  for (const RunOfReport& run : runs) names += (names.empty() ? "" : ", ") + run.name;
  return names;
}

/// Nothing may be loaded, whatever a name or a picture says.
constexpr const char* head =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<link rel=\"icon\" href=\"data:,\">\n";

}  // namespace

RunOfReport read_run(const fs::path& folder, size_t pictures) {
  const fs::path log = folder / "run.h5";
  if (std::error_code ignored; !fs::exists(log, ignored))
    throw Error("there is no " + log.string() + "; give the folder of a run");
  fs::path named = fs::absolute(folder).lexically_normal();
  if (!named.has_filename()) named = named.parent_path();
  return {.name = named.filename().string(),
          .log = read_run_log(log),
          .pictures = read_pictures(folder / "samples", pictures),
          .measured = EvaluationFile(folder / "evaluation.h5").metrics()};
}

std::string run_report(const std::vector<RunOfReport>& runs, const std::vector<Table>& tables) {
  std::vector<std::vector<NameValue>> configurations, environments;
  std::string data;
  for (const RunOfReport& run : runs) {
    configurations.push_back(config_values(run.log.config, run.name));
    environments.push_back(run.log.environment);
    data += (data.empty() ? "" : ",\n") + data_of(run);
  }
  const std::string title = html_escaped(title_of(runs));
  return std::string(head) + "<title>" + title + "</title>\n<style>" + std::string(report_style()) +
         "</style>\n</head>\n<body>\n<header><h1>" + title +
         "</h1>\n<button id=\"theme\" type=\"button\">dark or light</button></header>\n<main>\n"
         "<section id=\"curves\"><h2>Curves</h2>\n<div id=\"legend\"></div><div id=\"charts\"></div>"
         "<noscript><p>The curves and older pictures need JavaScript.</p></noscript></section>\n" +
         pictures(runs) + measures(runs) + sections_of(tables) +
         comparison("configuration", "Configuration", runs, configurations) +
         comparison("environment", "Environment", runs, environments) +
         "</main>\n<script type=\"application/json\" id=\"data\">{\"runs\":[" + data +
         "]}</script>\n<script>" + std::string(report_script()) + "</script>\n</body>\n</html>\n";
}

}  // namespace ebm
