// SPDX-License-Identifier: MIT
// Options: the command line and --help. The only file that includes CLI11, which is slow to compile.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>

#include "io/atomic_file.h"
#include "io/environment.h"
#include "io/options.h"

namespace ebm {
namespace {

constexpr size_t help_width = 100, help_indent = 30;

// Appends `text` to `page` from column `indent` on, broken at blanks.
void append_wrapped(std::string& page, std::string_view text, size_t indent) {
  size_t column = indent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (column > indent && column + 1 + word.size() > help_width) {
      page += "\n" + std::string(indent, ' ');
      column = indent;
    }
    if (column > indent) {
      page += ' ';
      ++column;
    }
    page += word;
    column += word.size();
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  page += '\n';
}

void append_option(std::string& page, std::string left, const std::string& text) {
  left = "  " + left;
  page += left;
  page += left.size() + 2 > help_indent ? "\n" + std::string(help_indent, ' ')
                                        : std::string(help_indent - left.size(), ' ');
  append_wrapped(page, text, help_indent);
}

UsageError missing_value(const std::string& name, const std::string& allowed) {
  return UsageError(fmt::format("option {} needs a value; give {}", name, allowed));
}

}  // namespace

std::string with_dashes(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

void Options::set_from_command_line(Entry& entry, const std::string& text) {
  if (text.starts_with("--")) throw missing_value("--" + with_dashes(entry.name), entry.allowed);
  if (!entry.set(text)) {
    throw UsageError(fmt::format("option --{}: '{}' is not allowed; {}", with_dashes(entry.name),
                                 printable(text), remedy(entry, text)));
  }
  entry.given = true;
}

bool Options::parse(int argc, const char* const* argv) {
  return read_command_line(argc, argv, Unknown::refused);
}

void Options::peek(int argc, const char* const* argv) {
  read_command_line(argc, argv, Unknown::passed_over);
}

bool Options::read_command_line(int argc, const char* const* argv, Unknown unknown) {
  const bool peeking = unknown == Unknown::passed_over;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::string unused;
  const auto add_value = [&](const std::string& name) {
    return app.add_option((name == "out" ? "-o,--" : "--") + name, unused)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  const auto add_flag = [&](const std::string& name) {
    return app.add_flag("--" + name)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  const CLI::Option* asked_help = app.add_flag("-h,--help");
  const CLI::Option* asked_version = app.add_flag("--version");
  const CLI::Option* asked_config = offers_print_config_ ? app.add_flag("--print-config") : nullptr;
  const CLI::Option* config = add_value("config");
  std::vector<std::pair<const CLI::Option*, const CLI::Option*>>
      given;  // the option, and --no-OPTION of a flag
  for (const Entry& entry : entries_) {
    const std::string name = with_dashes(entry.name);
    if (entry.kind == Kind::flag) {
      given.emplace_back(add_flag(name), add_flag("no-" + name));
    } else {
      given.emplace_back(add_value(name), nullptr);
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string text = error.what();  // "--batch: 1 required TEXT missing"
    const std::string name = text.substr(0, text.find(':'));
    const Entry* entry = find(name.size() > 2 ? name.substr(2) : name);
    throw missing_value(name, entry ? entry->allowed : "a file");
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("{}; --help lists the options", error.what()));
  }
  if (!peeking && (asked_help->count() > 0 || asked_version->count() > 0)) {
    const std::string details = asked_help->count() == 0 && version_details_ ? version_details_() : "";
    const std::string text =
        asked_help->count() > 0 ? help() : fmt::format("{} {}\n{}", program_, version(), details);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return false;
  }
  asked_to_print_config_ = asked_config != nullptr && asked_config->count() > 0;
  const auto apply = [&] {
    for (size_t i = 0; i < entries_.size(); ++i) {
      const auto [plain, negated] = given[i];
      if (negated != nullptr && negated->count() > 0) {
        if (plain->count() > 0 || negated->results().back() != "true") {
          throw UsageError(fmt::format("option --no-{0}: give either --{0} or --no-{0}, without a value",
                                       with_dashes(entries_[i].name)));
        }
        set_from_command_line(entries_[i], "false");
      } else if (plain->count() > 0) {
        set_from_command_line(entries_[i], plain->results().back());
      }
    }
  };
  apply();  // a wrong value is told before what it made of the words after it, and before the file is read
  if (!peeking) take_rest(app.remaining());
  if (config->count() > 0) {
    const std::string file = config->results().back();
    if (file.starts_with("--")) throw missing_value("--config", "a file");
    std::vector<std::string> of_command_line;
    for (const Entry& entry : entries_) of_command_line.push_back(entry.given ? entry.get() : "");
    const auto bytes = read_file(file);
    read_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file, unknown);
    for (size_t i = 0; peeking && i < entries_.size(); ++i) {
      if (of_command_line[i].empty() || of_command_line[i] == entries_[i].get()) continue;
      throw UsageError(
          fmt::format("option --{0}: '{1}', but {2} is a configuration with {0} '{3}'; give the same, "
                      "or no --config",
                      with_dashes(entries_[i].name), of_command_line[i], printable(file), entries_[i].get()));
    }
    apply();
  }
  return true;
}

void Options::take_rest(std::vector<std::string> rest) {
  if (argument_.take) {
    const auto is_word = [](const std::string& word) { return !word.starts_with("-"); };
    auto word = std::find_if(rest.begin(), rest.end(), is_word);
    if (word == rest.end() && rest.empty())
      throw UsageError(fmt::format("{} is missing: {}", argument_.name, argument_.help));
    while (word != rest.end()) {
      argument_.take(*word);
      word = rest.erase(word);
      word = argument_.several ? std::find_if(word, rest.end(), is_word) : rest.end();
    }
  }
  if (rest.empty()) return;
  const std::string first = printable(rest.front());
  if (!first.starts_with("-")) {
    throw UsageError(
        fmt::format("unexpected '{}'; options are written --name value, and --help lists them", first));
  }
  const std::string name = first.substr(0, first.find('='));
  const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
  const std::string of = chosen_by_.empty() ? "" : " with " + chosen_by_;
  throw UsageError(fmt::format("unknown option '{}'{}{} ({}--help lists all)", name, of,
                               suggestion(bare, true), chosen_by_.empty() ? "" : chosen_by_ + " "));
}

std::string Options::help() const {
  std::string page = fmt::format("{}: ", program_);
  append_wrapped(page, description_, 0);
  const bool argument = static_cast<bool>(argument_.take);
  page += fmt::format("\nUsage: {}{}{} [--option value]...\n", program_, argument ? " " + argument_.name : "",
                      argument_.several ? "..." : "");
  if (argument) append_option(page, argument_.name, argument_.help);
  std::string group;
  for (const Entry& entry : entries_) {
    if (entry.group != group || &entry == &entries_.front()) {
      group = entry.group;
      page += fmt::format("\n{}:\n", group.empty() ? "Options" : group);
    }
    const std::string name = with_dashes(entry.name);
    std::string left = (name == "out" ? "-o, --" : "--") + name,
                notes = "default " + (entry.default_text.empty() ? "none" : entry.default_text);
    switch (entry.kind) {
      case Kind::integer:
        left += " N";
        break;
      case Kind::real:
        left += " X";
        break;
      case Kind::text:
        left += " TEXT";
        break;
      case Kind::flag:
        left += ", --no-" + name;
        break;
      case Kind::choice:
        left += " " + entry.summary;
        break;
    }
    if (entry.kind != Kind::choice && !entry.summary.empty()) notes += "; " + entry.summary;
    append_option(page, left,
                  fmt::format("{}{} ({})", entry.help, entry.scope == Scope::placement ? " *" : "", notes));
  }
  page += "\nGeneral:\n";
  append_option(page, "--config FILE.toml",
                "read options from a file (names with '_'); the command line goes before it");
  if (offers_print_config_)
    append_option(page, "--print-config",
                  "check the options, print all of them as --config reads them, and end");
  append_option(page, "--version", "print the version");
  append_option(page, "--help", "print this");
  page += "\nOptions marked * may differ when a run is resumed.\n";
  return page;
}

}  // namespace ebm
