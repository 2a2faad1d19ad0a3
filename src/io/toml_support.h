// SPDX-License-Identifier: MIT
#pragma once
// For the .cpp files of src/io that read TOML: toml++ is slow to compile, and no other folder includes this.

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "io/options.h"

namespace ebm {

/// `remedy` is asked what to do, with the number of the line that is wrong. Throws Error.
template <typename Remedy>
toml::table parse_toml(std::string_view text, const std::string& source, Remedy remedy) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    std::string reason(error.description());
    std::replace_if(
        reason.begin(), reason.end(), [](unsigned char c) { return c < 0x20; }, ' ');
    const auto line = error.source().begin.line;
    throw Error(fmt::format("{}:{}: {}; {}", source, line, reason, remedy(static_cast<size_t>(line))));
  }
}

inline toml::table parse_toml(std::string_view text, const std::string& source) {
  return parse_toml(text, source, [](size_t) { return "mend the file"; });
}

/// What an option may be; nothing for lists, tables, dates.
inline std::optional<OptionValue::Value> option_value(const toml::node& node) {
  if (const auto* x = node.as_integer()) return x->get();
  if (const auto* x = node.as_floating_point()) return x->get();
  if (const auto* x = node.as_boolean()) return x->get();
  if (const auto* x = node.as_string()) return x->get();
  return std::nullopt;
}

/// The entries of a table in the order of their lines.
inline std::vector<std::pair<std::string, const toml::node*>> entries_by_line(const toml::table& table) {
  std::vector<std::pair<std::string, const toml::node*>> entries;
  for (const auto& [key, node] : table) entries.emplace_back(key.str(), &node);
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.second->source().begin < b.second->source().begin;
  });
  return entries;
}

}  // namespace ebm
