// SPDX-License-Identifier: MIT
// Options: the configuration file.

#include "io/atomic_file.h"
#include "io/config_values.h"
#include "io/toml_support.h"

namespace ebm {
namespace {

// The value of a node as Options take it, and what it is called in messages.
struct Value {
  std::string text;
  const char* kind = "table or list";
};

Value value_of(const toml::node& node) {
  if (const auto* x = node.as_integer()) return {fmt::format("{}", x->get()), "integer"};
  if (const auto* x = node.as_floating_point()) return {fmt::format("{}", x->get()), "number"};
  if (const auto* x = node.as_boolean()) return {x->get() ? "true" : "false", "boolean"};
  if (const auto* x = node.as_string()) return {x->get(), "string"};
  if (node.is_date() || node.is_time() || node.is_date_time()) return {"", "date or time"};
  return {};
}

constexpr const char* program_key = "program";

std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;  // no control characters: Options take none
  }
  return quoted + '"';
}

}  // namespace

std::vector<NameValue> config_values(std::string_view config, const std::string& source) {
  const toml::table table = parse_toml(config, source);
  std::vector<NameValue> values;
  for (const auto& [key, node] : entries_by_line(table)) values.push_back({key, value_of(*node).text});
  return values;
}

std::vector<OptionValue> config_options(std::string_view config, const std::string& source) {
  const toml::table table = parse_toml(config, source);
  std::vector<OptionValue> options;
  for (const auto& [key, node] : entries_by_line(table)) {
    if (auto value = option_value(*node); value && key != program_key) options.push_back({key, *value});
  }
  return options;
}

void write_option(Hdf5File& file, std::string_view object, const OptionValue& option) {
  if (const bool* flag = std::get_if<bool>(&option.value)) {
    file.write_attribute(object, option.name, static_cast<int64_t>(*flag));
  } else if (const auto* text = std::get_if<std::string>(&option.value)) {
    file.write_attribute(object, option.name, std::string_view(*text));
  } else if (const auto* integer = std::get_if<int64_t>(&option.value)) {
    file.write_attribute(object, option.name, *integer);
  } else {
    file.write_attribute(object, option.name, std::get<double>(option.value));
  }
}

void Options::read_config(const std::filesystem::path& file) {
  const auto bytes = read_file(file);
  read_config_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
}

std::string Options::remedy_of_line(std::string_view text, size_t number) const {
  for (; number > 1 && text.find('\n') != std::string_view::npos; --number)
    text.remove_prefix(text.find('\n') + 1);
  std::string_view name = text.substr(0, text.find_first_of("=\n"));
  name.remove_prefix(std::min(name.find_first_not_of(" \t"), name.size()));
  const Entry* entry = find(name.substr(0, name.find_last_not_of(" \t") + 1));
  return entry != nullptr && !entry->limits.empty() ? "give " + entry->limits : "mend the file";
}

std::string Options::program_of(std::string_view config) {
  return parse_toml(config, "the configuration")[program_key].value_or(std::string());
}

void Options::read_config_text(std::string_view text, const std::string& source) {
  read_text(text, source, Unknown::refused);
}

void Options::peek_config_text(std::string_view text, const std::string& source) {
  read_text(text, source, Unknown::passed_over);
}

void Options::read_text(std::string_view text, const std::string& source, Unknown unknown) {
  const toml::table table = parse_toml(text, source, [&](size_t line) { return remedy_of_line(text, line); });
  // First, since another program's options are unknown here.
  if (const toml::node* program = table.get(program_key); program != nullptr) {
    if (const std::string name = value_of(*program).text; name != program_) {
      throw Error(fmt::format("{}:{}: this is a configuration of '{}', not of {}; give one of {}", source,
                              program->source().begin.line, printable(name), program_, program_));
    }
  }
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const std::string where = fmt::format("{}:{}", source, key.source().begin.line);
    if (name == program_key) continue;
    Entry* entry = name.find('-') == std::string::npos ? find(name) : nullptr;
    if (entry == nullptr && unknown == Unknown::passed_over) continue;
    if (entry == nullptr) {
      const std::string hint = suggestion(name, false);
      throw Error(fmt::format("{}: '{}' is no option{}{}", where, printable(name),
                              chosen_by_.empty() ? "" : " with " + chosen_by_,
                              hint.empty() ? "; remove it" : hint));
    }
    const Value value = value_of(node);
    const std::string_view kind = value.kind;
    const bool fits = entry->kind == Kind::integer ? kind == "integer"
                      : entry->kind == Kind::real  ? kind == "integer" || kind == "number"
                      : entry->kind == Kind::flag  ? kind == "boolean"
                                                   : kind == "string";
    if (!fits) throw Error(fmt::format("{}: {} is of type {}; give {}", where, name, kind, entry->allowed));
    if (!entry->set(value.text)) {
      throw Error(fmt::format("{}: {} = '{}' is not allowed; {}", where, name, printable(value.text),
                              remedy(*entry, value.text)));
    }
    entry->given = true;
  }
}

std::string Options::toml_value(const Entry& entry) const {
  const std::string text = entry.get();
  switch (entry.kind) {
    case Kind::text:
    case Kind::choice:
      return toml_string(text);
    case Kind::real:
      return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;  // e, inf
    default:
      return text;
  }
}

std::string Options::to_toml() const {
  std::string text = fmt::format("# The resolved configuration; --config reads it.\n{} = {}\n", program_key,
                                 toml_string(program_));
  std::string group;
  for (const Entry& entry : entries_) {
    if (entry.group != group) text += fmt::format("\n# {}\n", group = entry.group);
    text += fmt::format("{} = {}  # {}\n", entry.name, toml_value(entry), entry.help);
  }
  return text;
}

std::vector<OptionValue> Options::run_values() const {
  std::vector<OptionValue> values;
  for (const Entry& entry : entries_) {
    if (entry.scope != Scope::run) continue;
    const std::string text = entry.get();
    switch (entry.kind) {
      case Kind::integer:
        values.push_back({entry.name, static_cast<int64_t>(std::stoll(text))});
        break;
      case Kind::real:
        values.push_back({entry.name, std::stod(text)});
        break;
      case Kind::flag:
        values.push_back({entry.name, text == "true"});
        break;
      case Kind::text:
      case Kind::choice:
        values.push_back({entry.name, text});
        break;
    }
  }
  return values;
}

std::vector<std::string> Options::differences(std::string_view other) const {
  const toml::table table = parse_toml(other, "the run's configuration");
  std::vector<std::string> lines;
  if (const std::string before = program_of(other); !before.empty() && before != program_) {
    return {fmt::format("{}: the run has {}, now {}", program_key, printable(before), program_)};
  }
  for (const Entry& entry : entries_) {
    if (entry.scope != Scope::run) continue;
    const toml::node* node = table.get(entry.name);
    const std::string now = entry.get();
    if (node == nullptr && now == entry.default_text) continue;
    if (node == nullptr) {
      lines.push_back(fmt::format("{}: the run does not have it, now {}", entry.name, now));
    } else if (const std::string before = value_of(*node).text; before != now) {
      lines.push_back(fmt::format("{}: the run has {}, now {}", entry.name, printable(before), now));
    }
  }
  for (const auto& [key, node] : table) {
    if (key.str() != program_key && find(key.str()) == nullptr) {
      lines.push_back(fmt::format("{}: the run has {}, this program has no such option{}",
                                  printable(std::string(key.str())), printable(value_of(node).text),
                                  chosen_by_.empty() ? "" : " with " + chosen_by_));
    }
  }
  return lines;
}

}  // namespace ebm
