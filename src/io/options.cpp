// SPDX-License-Identifier: MIT
// The list of options and their values; the command line is in options_command_line.cpp, TOML in
// options_toml.cpp.
#include "io/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace ebm {
namespace {

std::string with_underscores(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

bool is_name(std::string_view name) {
  const auto ok = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::all_of(name.begin(), name.end(), ok);
}

// The whole text as a number; false when it is none.
template <typename T>
bool to_number(const std::string& text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  return code == std::errc() && stop == end;
}

// Shortest text that reads back as the same value.
std::string number_text(double value) {
  return fmt::format("{}", value);
}

// A number, but none that T holds.
template <typename T>
bool is_beyond(const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  return code == std::errc::result_out_of_range && stop == end;
}

std::string range_text(Interval<int64_t> range) {
  if (range.lo == INT64_MIN && range.hi == INT64_MAX) return "";
  if (range.hi == INT64_MAX) return fmt::format("at least {}", range.lo);
  if (range.lo == INT64_MIN) return fmt::format("at most {}", range.hi);
  return fmt::format("{}..{}", range.lo, range.hi);
}

std::string range_text(Interval<double> range) {
  const bool any_hi = range.hi >= any_number.hi, any_lo = range.lo <= any_number.lo;
  if (any_lo && any_hi) return "";
  const std::string lo = range.lo == positive.lo ? "greater than 0" : "at least " + number_text(range.lo);
  if (any_hi) return lo;
  if (any_lo) return "at most " + number_text(range.hi);
  if (range.lo == positive.lo) return lo + ", at most " + number_text(range.hi);
  return number_text(range.lo) + ".." + number_text(range.hi);
}

std::string allowed_text(const char* what, const std::string& range) {
  if (range.empty()) return what;
  return fmt::format("{} {}{}", what, range[0] == 'a' || range[0] == 'g' ? "" : "in ", range);
}

std::string join(const std::vector<std::string>& texts, std::string_view separator) {
  std::string all;
  for (const auto& text : texts) {
    if (&text != &texts.front()) all += separator;
    all += text;
  }
  return all;
}

// UTF-8 without control characters: what to_toml() can write and read back.
bool is_plain_text(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x20 || lead == 0x7F) return false;
    const size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || i + length > text.size()) return false;
    const auto follows = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
    if (!std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                     text.begin() + static_cast<std::ptrdiff_t>(i + length), follows)) {
      return false;
    }
    const auto second = static_cast<unsigned char>(length > 1 ? text[i + 1] : 0);
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
      return false;  // overlong, surrogates, beyond U+10FFFF
    }
    i += length;
  }
  return true;
}

// How many single-letter changes lead from a to b.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

Options::Options(std::string program, std::string description)
    : program_(std::move(program)), description_(std::move(description)) {}

void Options::group(std::string title) {
  group_ = std::move(title);
}

void Options::insert(std::string_view name, std::string help, Scope scope, Entry entry) {
  entry.name = with_underscores(name);
  entry.help = std::move(help);
  entry.scope = scope;
  entry.group = group_;
  const bool reserved = entry.name == "help" || entry.name == "version" || entry.name == "config";
  if (!is_name(entry.name) || reserved || find(entry.name) != nullptr) {
    throw Error(fmt::format("option '{}' cannot be added: the name is taken or malformed; choose another",
                            entry.name));
  }
  entry.default_text = entry.get();
  if (!entry.set(entry.default_text)) {
    throw Error(fmt::format("option '{}': the default '{}' is not allowed; give {}", entry.name,
                            entry.default_text, entry.allowed));
  }
  entries_.push_back(std::move(entry));
}

void Options::add(std::string_view name, int64_t* variable, std::string help, Interval<int64_t> range,
                  Scope scope) {
  Entry entry;
  entry.kind = Kind::integer;
  entry.summary = range_text(range);
  entry.allowed = allowed_text("an integer", entry.summary);
  entry.limits = fmt::format("an integer in {}..{}", range.lo, range.hi);
  entry.get = [variable] { return fmt::format("{}", *variable); };
  entry.set = [variable, range](const std::string& text) {
    int64_t value = 0;
    const bool ok = to_number(text, value) && value >= range.lo && value <= range.hi;
    if (ok) *variable = value;
    return ok;
  };
  insert(name, std::move(help), scope, std::move(entry));
}

void Options::add(std::string_view name, double* variable, std::string help, Interval<double> range,
                  Scope scope) {
  Entry entry;
  entry.kind = Kind::real;
  entry.summary = range_text(range);
  entry.allowed = allowed_text("a number", entry.summary);
  entry.limits = entry.allowed + ", and of a size that float64 holds, 4.9e-324..1.7e308";
  entry.get = [variable] { return number_text(*variable); };
  entry.set = [variable, range](const std::string& text) {
    double value = 0;
    const bool ok = to_number(text, value) && value >= range.lo && value <= range.hi;  // NaN fails
    if (ok) *variable = value;
    return ok;
  };
  insert(name, std::move(help), scope, std::move(entry));
}

void Options::add(std::string_view name, std::string* variable, std::string help, Scope scope) {
  Entry entry;
  entry.kind = Kind::text;
  entry.allowed = "text in UTF-8 without control characters";
  entry.get = [variable] { return *variable; };
  entry.set = [variable](const std::string& text) {
    const bool ok = is_plain_text(text);
    if (ok) *variable = text;
    return ok;
  };
  insert(name, std::move(help), scope, std::move(entry));
}

void Options::add_folder(std::string_view name, std::string* variable, std::string help, Scope scope) {
  add(name, variable, std::move(help), scope);
  Entry& entry = entries_.back();
  entry.set = [set = std::move(entry.set)](const std::string& text) {
    const size_t last = text.find_last_not_of('/');
    return set(last == std::string::npos ? text.substr(0, 1) : text.substr(0, last + 1));
  };
}

void Options::add(std::string_view name, bool* variable, std::string help, Scope scope) {
  Entry entry;
  entry.kind = Kind::flag;
  entry.allowed = "true or false";
  entry.get = [variable] { return *variable ? "true" : "false"; };
  entry.set = [variable](const std::string& text) {
    const bool ok = text == "true" || text == "false";
    if (ok) *variable = text == "true";
    return ok;
  };
  insert(name, std::move(help), scope, std::move(entry));
}

void Options::add_version_details(std::function<std::string()> details) {
  version_details_ = std::move(details);
}

void Options::add_argument(std::string_view name, std::string* variable, std::string help) {
  argument_ = {std::string(name), std::move(help), [variable](const std::string& word) { *variable = word; },
               false};
}

void Options::add_arguments(std::string_view name, std::vector<std::string>* variable, std::string help) {
  argument_ = {std::string(name), std::move(help),
               [variable](const std::string& word) { variable->push_back(word); }, true};
}

void Options::insert_choice(std::string_view name, const std::vector<std::string>& names,
                            std::function<void(size_t)> set, std::function<size_t()> get, std::string help,
                            Scope scope) {
  Entry entry;
  entry.kind = Kind::choice;
  entry.summary = join(names, "|");
  entry.allowed = "one of " + join(names, ", ");
  entry.get = [names, get = std::move(get)] {
    const size_t i = get();
    return i < names.size() ? names[i] : std::string("?");
  };
  entry.set = [names, set = std::move(set)](const std::string& text) {
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end()) return false;
    set(static_cast<size_t>(found - names.begin()));
    return true;
  };
  insert(name, std::move(help), scope, std::move(entry));
}

std::string Options::remedy(const Entry& entry, const std::string& text) {
  const bool beyond = (entry.kind == Kind::integer && is_beyond<int64_t>(text)) ||
                      (entry.kind == Kind::real && is_beyond<double>(text));
  return "give " + (beyond ? entry.limits : entry.allowed);
}

const Options::Entry* Options::find(std::string_view name) const {
  const std::string key = with_underscores(name);
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == key; });
  return found == entries_.end() ? nullptr : &*found;
}

const Options::Entry& Options::require(std::string_view name) const {
  const Entry* entry = find(name);
  if (entry == nullptr) throw Error(fmt::format("there is no option '{}'{}", name, suggestion(name, false)));
  return *entry;
}

bool Options::was_given(std::string_view name) const {
  return require(name).given;
}

bool Options::is_changed(std::string_view name) const {
  const Entry& entry = require(name);
  return entry.get() != entry.default_text;
}

void Options::set_default(std::string_view name, std::string_view value) {
  const Entry& entry = require(name);
  if (entry.given) return;
  if (!entry.set(std::string(value))) {
    throw Error(fmt::format("option '{}': the default '{}' is not allowed; give {}", entry.name, value,
                            entry.allowed));
  }
}

void Options::set_default(std::string_view name, double value) {
  set_default(name, std::string_view(number_text(value)));
}

std::string Options::printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return text;
}

std::string Options::suggestion(std::string_view name, bool command_line) const {
  const std::string wanted = with_underscores(name);
  const auto distance = [&](const std::string& other) {
    return wanted.size() > 1 && other.starts_with(wanted) ? 1 : edit_distance(wanted, other);
  };
  std::vector<std::string> names;
  for (const auto& entry : entries_) {
    names.push_back(entry.name);
    if (command_line && entry.kind == Kind::flag) names.push_back("no_" + entry.name);
  }
  if (command_line) names.insert(names.end(), {"config", "help", "version"});
  const auto nearest = std::min_element(
      names.begin(), names.end(), [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
  if (nearest == names.end() || distance(*nearest) > std::max<size_t>(2, wanted.size() / 3)) return "";
  return fmt::format("; did you mean '{}'?", command_line ? "--" + with_dashes(*nearest) : *nearest);
}

}  // namespace ebm
