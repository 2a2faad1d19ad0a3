// SPDX-License-Identifier: MIT
#include "io/grid_table.h"

#include <cctype>
#include <set>

#include "io/atomic_file.h"
#include "io/toml_support.h"

namespace ebm {

namespace {

constexpr size_t longest_name = 200;    // of a folder 255
constexpr size_t most_points = 100000;  // more is a slip
constexpr std::string_view name_signs = "._+=,-";

/// An option of a table, with each of its values.
struct Entry {
  std::string name;
  std::vector<OptionValue::Value> values;
  bool is_list = false;
};

/// An entry of [common] or of a [[configuration]].
struct Part {
  std::string name;
  int64_t line = 0;
  std::vector<Entry> entries;
};

/// Errors of one file.
class Reader {
 public:
  explicit Reader(std::string source) : source_(std::move(source)) {}

  Error error(int64_t line, const std::string& what) const {
    return Error(fmt::format("{}:{}: {}", source_, line, what));
  }
  Error error(const toml::node& node, const std::string& what) const { return error(line_of(node), what); }
  static int64_t line_of(const toml::node& node) { return node.source().begin.line; }

  std::vector<int64_t> seeds(const toml::node& node) const {
    std::vector<int64_t> all;
    const toml::array* list = node.as_array();
    for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const auto* seed = (*list)[i].as_integer();
      if (seed == nullptr || std::find(all.begin(), all.end(), seed->get()) != all.end())
        throw error(node, "seeds are different integers; give a list such as [1, 2]");
      all.push_back(seed->get());
    }
    if (all.empty()) throw error(node, "seeds are a list of integers; give one such as [1, 2]");
    return all;
  }

  Part part(const toml::table& table) const {
    Part part{.name = {}, .line = line_of(table), .entries = {}};
    for (const auto& [key, node] : entries_by_line(table)) {
      if (key == "name") {
        part.name = node->value_or(std::string());
        if (!is_name(part.name))
          throw error(*node,
                      fmt::format("a name has letters, digits and {} and begins with a letter or digit; "
                                  "give such a one",
                                  name_signs));
      } else {
        part.entries.push_back(entry(key, *node));
      }
    }
    return part;
  }

 private:
  Entry entry(const std::string& key, const toml::node& node) const {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    if (!std::all_of(key.begin(), key.end(), fits))
      throw error(node, fmt::format("'{}' is no option; names are written with '_'", key));
    for (const char* own : {"seed", "out", "config", "print_config"}) {
      if (key == own)
        throw error(node,
                    fmt::format("{} is the sweep's own to give; remove it (seeds stand in seeds)", key));
    }
    Entry entry{.name = key, .values = {}, .is_list = node.is_array()};
    const auto add = [&](const toml::node& value) {
      const auto option = option_value(value);
      if (!option)
        throw error(node, key + " is no integer, number, boolean, string or list of them; give one");
      entry.values.push_back(*option);
    };
    if (const toml::array* list = node.as_array()) {
      for (const toml::node& value : *list) add(value);
      if (list->empty()) throw error(node, key + " is an empty list; give a value");
    } else {
      add(node);
    }
    return entry;
  }

  static bool is_name(const std::string& name) {
    const auto fits = [](unsigned char c) {
      return std::isalnum(c) || name_signs.find(static_cast<char>(c)) != std::string_view::npos;
    };
    return !name.empty() && std::isalnum(static_cast<unsigned char>(name[0])) &&
           std::all_of(name.begin(), name.end(), fits);
  }

  std::string source_;
};

/// "hinge=0", with signs that no name has as '_'.
std::string assignment(const std::string& name, const OptionValue::Value& value) {
  std::string text = name + "=" + value_text(value);
  const auto odd = [](unsigned char c) {
    return !std::isalnum(c) && name_signs.find(static_cast<char>(c)) == std::string_view::npos;
  };
  std::replace_if(text.begin(), text.end(), odd, '_');
  return text;
}

/// All combinations of the values of a part's entries, behind those of [common] that it does not have itself.
std::vector<GridPoint> points_of(const Part& common, const Part& part) {
  std::vector<Entry> entries;
  for (const Entry& entry : common.entries) {
    const auto same = [&](const Entry& own) { return own.name == entry.name; };
    if (std::none_of(part.entries.begin(), part.entries.end(), same)) entries.push_back(entry);
  }
  const size_t own = entries.size();  // the first of the part's own
  entries.insert(entries.end(), part.entries.begin(), part.entries.end());
  std::vector<GridPoint> points{{.name = part.name, .line = part.line, .options = {}}};
  for (size_t e = 0; e < entries.size(); ++e) {
    const Entry& entry = entries[e];
    const bool named = entry.is_list || (e >= own && part.name.empty());
    std::vector<GridPoint> longer;
    for (const GridPoint& point : points) {
      for (const OptionValue::Value& value : entry.values) {
        if (longer.size() >= most_points) return longer;  // and is refused
        GridPoint one = point;
        one.options.push_back({entry.name, value});
        if (named) one.name += (one.name.empty() ? "" : ",") + assignment(entry.name, value);
        longer.push_back(std::move(one));
      }
    }
    points = std::move(longer);
  }
  return points;
}

void check_names(const Reader& reader, std::vector<GridPoint>& points) {
  std::set<std::string> names;
  for (GridPoint& point : points) {
    if (point.name.empty()) point.name = "base";
    if (point.name.size() > longest_name)
      throw reader.error(point.line,
                         "the options make a name of more than 200 letters; give a short name, "
                         "or fewer lists");
    if (!names.insert(point.name).second)
      throw reader.error(
          point.line, fmt::format("'{}' is the name of two configurations; give another name", point.name));
  }
}

}  // namespace

std::string value_text(const OptionValue::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* integer = std::get_if<int64_t>(&value)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  return std::get<bool>(value) ? "true" : "false";
}

GridTable read_grid_table(const std::filesystem::path& file) {
  const auto bytes = read_file(file);
  GridTable table{.text = {bytes.begin(), bytes.end()}, .program = {}, .seeds = {}, .points = {}};
  const toml::table root = parse_toml(table.text, file.string());
  const Reader reader(file.string());
  Part common;
  std::vector<Part> parts;
  for (const auto& [key, node] : entries_by_line(root)) {
    if (key == "program") {
      table.program = node->value_or(std::string());
    } else if (key == "seeds") {
      table.seeds = reader.seeds(*node);
    } else if (key == "common" && node->is_table()) {
      common = reader.part(*node->as_table());
    } else if (key == "configuration" && node->is_array_of_tables()) {
      for (const toml::node& one : *node->as_array()) parts.push_back(reader.part(*one.as_table()));
    } else {
      throw reader.error(*node, fmt::format("'{}' is not for here; a table has program, seeds, [common] and "
                                            "[[configuration]]s",
                                            key));
    }
  }
  if (table.program.empty()) throw reader.error(1, "program is missing; give one, \"toy_bb\" say");
  if (table.seeds.empty()) throw reader.error(1, "seeds are missing; give a list such as [1, 2]");
  if (parts.empty()) parts.emplace_back();
  for (const Part& part : parts) {
    for (GridPoint& point : points_of(common, part)) table.points.push_back(std::move(point));
    if (table.points.size() >= most_points)
      throw reader.error(part.line, "the lists make more than 100,000 configurations; give shorter ones");
  }
  check_names(reader, table.points);
  return table;
}

}  // namespace ebm
