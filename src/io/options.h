// SPDX-License-Identifier: MIT
#pragma once
// The options of a program, named once: the command line, the configuration file, --help, the resolved
// configuration and what may differ when a run is resumed all come from this one list.
//
//   Options options("toy_bb", "Trains an energy-based model on points of the plane.");
//   options.group("Training");
//   options.add("batch", &config.batch, "samples per iteration", {1, 1 << 20});
//   options.add("log_every", &config.log_every, "iterations between rows", {1, 1000000}, Scope::placement);
//   options.add_choice("flips", &config.flips, {{"none", Flips::none}, ...}, "images are mirrored at random");
//   if (!options.parse(argc, argv)) return 0;                            // --help or --version
//   if (config.stacked) options.set_default("iterations", 120000);       // unless given
//   write_file(folder / "config.toml", options.to_toml());
//
// A value is the command line's, else that of --config FILE.toml, else set_default's, else what the variable
// held when it was added. Names are written with '_' here and in TOML and with '-' on the command line;
// either is taken here.

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"

namespace ebm {

/// Whether an option is part of what a run is (`run`: a resumed run must have the same), or only of where and
/// for how long it runs (`placement`: device, folder, iterations, log and checkpoint intervals).
enum class Scope { run, placement };

/// The values lo..hi, both included. NaN is in no range; infinity only where a bound says so.
template <typename T>
struct Interval {
  T lo, hi;
};
inline constexpr Interval<int64_t> any_integer{INT64_MIN, INT64_MAX};
inline constexpr Interval<double> any_number{-std::numeric_limits<double>::max(),
                                             std::numeric_limits<double>::max()};
inline constexpr Interval<double> positive{std::numeric_limits<double>::denorm_min(),
                                           std::numeric_limits<double>::max()};
inline constexpr Interval<double> not_negative{0, std::numeric_limits<double>::max()};

/// An option with its present value; a choice is a string.
struct OptionValue {
  using Value = std::variant<std::string, int64_t, double, bool>;
  std::string name;
  Value value;
};

/// An option's name as a command line has it, behind "--": "log-every" of "log_every".
std::string with_dashes(std::string name);

class Options {
 public:
  Options(std::string program, std::string description);

  /// A heading in --help and to_toml() for the options added after it.
  void group(std::string title);

  /// An option whose value is kept in *variable, which must outlive this object and holds the default.
  /// `help`: one line, with the unit. A bool is a flag: --name and --no-name. Throw Error when the name is
  /// taken or not [a-z][a-z0-9_-]*, or the default is not among the allowed values.
  void add(std::string_view name, int64_t* variable, std::string help, Interval<int64_t> range = any_integer,
           Scope scope = Scope::run);
  void add(std::string_view name, double* variable, std::string help, Interval<double> range = any_number,
           Scope scope = Scope::run);
  void add(std::string_view name, std::string* variable, std::string help, Scope scope = Scope::run);
  void add(std::string_view name, bool* variable, std::string help, Scope scope = Scope::run);

  /// The path of a folder, kept without slashes at its end: that of a file in it is FOLDER/NAME.
  void add_folder(std::string_view name, std::string* variable, std::string help, Scope scope = Scope::run);

  /// The one word of the command line that stands without a name, and must be there: PROGRAM NAME [--option
  /// value]... It is in no configuration.
  void add_argument(std::string_view name, std::string* variable, std::string help);

  /// The same for one word or more, each appended.
  void add_arguments(std::string_view name, std::vector<std::string>* variable, std::string help);

  /// An option that is one of named values; the names are what is written in all texts.
  template <typename Value>
  void add_choice(std::string_view name, Value* variable,
                  const std::vector<std::pair<std::string, std::type_identity_t<Value>>>& choices,
                  std::string help, Scope scope = Scope::run);

  /// Lets the user ask, with --print-config, for the resolved configuration instead of the program's work.
  void offer_print_config() { offers_print_config_ = true; }
  /// Whether parse() found that: once all defaults are resolved, the program is to print to_toml() and to end.
  [[nodiscard]] bool asked_to_print_config() const { return asked_to_print_config_; }

  /// What --version says beside program and version, whole lines; asked for where it is wanted alone.
  void add_version_details(std::function<std::string()> details);

  /// Reads --config FILE.toml if there is one, then the command line, into the variables. False when --help
  /// or --version was asked for and has been printed on stdout: the program is to end with status 0. Throws
  /// UsageError (status 2) for an unknown option, a missing or wrong value; Error (status 1) naming file,
  /// line and key for anything wrong in the configuration file.
  [[nodiscard]] bool parse(int argc, const char* const* argv);

  /// What made these the options, for messages about others: "--method meg".
  void chosen_by(std::string words) { chosen_by_ = std::move(words); }

  /// Reads only these options, as parse() would, and passes over all that is not known here: for choices on
  /// which it hangs which options there are. Asked for help, it says nothing. Throws UsageError when the
  /// command line and the configuration file choose differently: the file's other options are for its choice.
  void peek(int argc, const char* const* argv);
  /// The same of the text of a configuration.
  void peek_config_text(std::string_view text, const std::string& source);

  /// The configuration file alone, as --config reads it, or the text of one that lies in `source`. Throws
  /// Error.
  void read_config(const std::filesystem::path& file);
  void read_config_text(std::string_view text, const std::string& source);

  /// The program whose to_toml() this is; "" if it does not say. Throws Error when `config` is no TOML.
  [[nodiscard]] static std::string program_of(std::string_view config);

  /// Whether the option was on the command line or in the configuration file.
  [[nodiscard]] bool was_given(std::string_view name) const;

  /// Whether the option has another value than when it was added.
  [[nodiscard]] bool is_changed(std::string_view name) const;

  /// Gives the variable of `name` this value unless it was given: for defaults that hang on another option (a
  /// preset). A choice is set by its name. Throws Error when there is no such option or the value is not
  /// allowed.
  void set_default(std::string_view name, std::string_view value);
  void set_default(std::string_view name, double value);
  void set_default(std::string_view name, std::integral auto value) {
    if constexpr (std::same_as<decltype(value), bool>) {
      set_default(name, value ? std::string_view("true") : std::string_view("false"));
    } else {
      set_default(name, std::string_view(std::to_string(value)));
    }
  }

  /// The resolved configuration: every option's present value as TOML that read_config gives back exactly.
  [[nodiscard]] std::string to_toml() const;

  /// The options of Scope::run, in order.
  [[nodiscard]] std::vector<OptionValue> run_values() const;

  /// What makes this another run than the one whose to_toml() is `other`: "batch: the run has 200, now 100",
  /// one line per differing option of Scope::run; empty when the run can be resumed. An option that `other`
  /// does not have came later, and stands for its default. Throws Error when `other` is no TOML.
  [[nodiscard]] std::vector<std::string> differences(std::string_view other) const;

  [[nodiscard]] std::string help() const;

 private:
  enum class Kind { integer, real, text, flag, choice };
  struct Entry {
    std::string name;  // with '_'
    std::string help, group;
    Scope scope = Scope::run;
    Kind kind = Kind::text;
    std::string allowed;                          // "an integer in 1..9"
    std::string limits;                           // of a number: the same with the limits of its type
    std::string summary;                          // in --help: "1..9", "" when there is nothing to say
    std::function<bool(const std::string&)> set;  // false: not allowed
    std::function<std::string()> get;             // the present value; set(get()) changes nothing
    std::string default_text;
    bool given = false;
  };

  enum class Unknown { refused, passed_over };
  bool read_command_line(int argc, const char* const* argv, Unknown unknown);
  void read_text(std::string_view text, const std::string& source, Unknown unknown);
  void insert(std::string_view name, std::string help, Scope scope, Entry entry);
  void insert_choice(std::string_view name, const std::vector<std::string>& names,
                     std::function<void(size_t)> set, std::function<size_t()> get, std::string help,
                     Scope scope);
  [[nodiscard]] const Entry* find(std::string_view name) const;
  Entry* find(std::string_view name) { return const_cast<Entry*>(std::as_const(*this).find(name)); }
  [[nodiscard]] const Entry& require(std::string_view name) const;
  [[nodiscard]] std::string toml_value(const Entry& entry) const;
  /// Takes the argument from the words of the command line that are no option. Throws UsageError on others.
  void take_rest(std::vector<std::string> rest);
  void set_from_command_line(Entry& entry, const std::string& text);
  /// "give an integer at least 0"; for a number that int64 or float64 does not hold, with their limits.
  [[nodiscard]] static std::string remedy(const Entry& entry, const std::string& text);
  /// What is to be done about a line of a configuration file that is no TOML.
  [[nodiscard]] std::string remedy_of_line(std::string_view text, size_t number) const;
  /// " did you mean 'batch'?" or "".
  [[nodiscard]] std::string suggestion(std::string_view name, bool command_line) const;

  /// One line for messages: control characters become '?'.
  [[nodiscard]] static std::string printable(std::string text);

  struct Argument {
    std::string name, help;
    std::function<void(const std::string&)> take;  // none: there is no argument
    bool several = false;
  };

  std::string program_, description_, group_, chosen_by_;
  bool offers_print_config_ = false, asked_to_print_config_ = false;
  std::function<std::string()> version_details_;
  Argument argument_;
  std::vector<Entry> entries_;
};

template <typename Value>
void Options::add_choice(std::string_view name, Value* variable,
                         const std::vector<std::pair<std::string, std::type_identity_t<Value>>>& choices,
                         std::string help, Scope scope) {
  std::vector<std::string> names;
  std::vector<Value> values;
  for (const auto& [text, value] : choices) {
    names.push_back(text);
    values.push_back(value);
  }
  const auto set = [variable, values](size_t i) { *variable = values[i]; };
  const auto get = [variable, values] {
    size_t i = 0;
    while (i < values.size() && !(values[i] == *variable)) ++i;
    return i;
  };
  insert_choice(name, names, set, get, std::move(help), scope);
}

}  // namespace ebm
