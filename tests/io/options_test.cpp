// SPDX-License-Identifier: MIT
#include "io/options.h"

#include <cmath>
#include <fstream>
#include <random>

#include "io/atomic_file.h"
#include "io_fixture.h"

namespace ebm {
namespace {

using test::contains;
using test::error_of;

enum class Method { ebm_bb, ebm_0gp };
enum class Preset { paper, code };

struct Config {
  Preset preset = Preset::paper;
  Method method = Method::ebm_bb;
  int64_t batch = 200, seed = 1, log_every = 100;
  double rate = 2e-4, hinge = 1;
  std::string out = "runs/toy";
  bool deterministic = false;
};

// A program with a Config and its options.
struct Program {
  Config config;
  Options options{"toy", "Trains a toy."};
  Program() {
    options.add_choice("preset", &config.preset, {{"paper", Preset::paper}, {"code", Preset::code}},
                       "whose constants");
    options.group("Training");
    options.add_choice("method", &config.method, {{"ebm_bb", Method::ebm_bb}, {"ebm_0gp", Method::ebm_0gp}},
                       "what is trained");
    options.add("batch", &config.batch, "samples per iteration", {1, 1 << 20});
    options.add("seed", &config.seed, "of all noise");
    options.add("rate", &config.rate, "learning rate", positive);
    options.add("hinge", &config.hinge, "zeta of eq. 20");
    options.add("deterministic", &config.deterministic, "sum in a fixed order");
    options.group("Placement");
    options.add("log_every", &config.log_every, "iterations between rows", {1, INT64_MAX}, Scope::placement);
    options.add("out", &config.out, "folder of the run", Scope::placement);
  }
  bool parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "toy");
    return options.parse(static_cast<int>(arguments.size()), arguments.data());
  }
  // The message of the UsageError that these arguments give.
  std::string usage_error(const std::vector<const char*>& arguments) {
    try {
      EXPECT_TRUE(parse(arguments));
    } catch (const UsageError& error) {
      EXPECT_EQ(error.exit_status(), 2);
      return error_of([&] { throw error; });
    } catch (const Error& error) {
      return std::string("status 1: ") + error.what();
    }
    return "(no Error)";
  }
};

class OptionsTest : public test::IoTest {
 protected:
  std::string config_file(const std::string& text) {
    write_file(*this / "config.toml", text);
    return (*this / "config.toml").string();
  }
  std::string config_error(const std::string& text) {
    const std::string file = config_file(text);
    return error_of([&] {
      Program program;
      try {
        (void)program.parse({"--config", file.c_str()});
      } catch (const UsageError&) {
        ADD_FAILURE() << "a bad file is no usage error";
      }
    });
  }
};

TEST_F(OptionsTest, ReadsTheCommandLine) {
  Program p;
  EXPECT_TRUE(p.parse({"--batch", "64", "--method=ebm_0gp", "--rate", "1e-3", "--hinge", "-2.5", "--seed",
                       "-7", "--log-every", "5", "--out", "ä b", "--deterministic"}));
  EXPECT_EQ(p.config.batch, 64);
  EXPECT_EQ(p.config.method, Method::ebm_0gp);
  EXPECT_EQ(p.config.rate, 1e-3);
  EXPECT_EQ(p.config.hinge, -2.5);
  EXPECT_EQ(p.config.seed, -7);
  EXPECT_EQ(p.config.log_every, 5);
  EXPECT_EQ(p.config.out, "ä b");
  EXPECT_TRUE(p.config.deterministic);
  EXPECT_TRUE(p.options.was_given("log_every"));
  EXPECT_TRUE(p.options.was_given("log-every"));
  EXPECT_FALSE(p.options.was_given("preset"));
}

TEST_F(OptionsTest, TheLastOfTwoWinsAndFlagsCanBeUndone) {
  Program p;
  p.config.deterministic = true;
  EXPECT_TRUE(p.parse({"--batch", "1", "--batch", "2", "--no-deterministic"}));
  EXPECT_EQ(p.config.batch, 2);
  EXPECT_FALSE(p.config.deterministic);
  EXPECT_TRUE(p.options.was_given("deterministic"));
  Program q;
  EXPECT_TRUE(q.parse({"--deterministic=true"}));
  EXPECT_TRUE(q.config.deterministic);
}

TEST_F(OptionsTest, NamesWhatIsWrongOnTheCommandLine) {
  const auto error = [](const std::vector<const char*>& arguments) {
    return Program().usage_error(arguments);
  };
  EXPECT_EQ(error({"--bacth", "5"}), "unknown option '--bacth'; did you mean '--batch'? (--help lists all)");
  EXPECT_EQ(error({"--log_evry=5"}),
            "unknown option '--log_evry'; did you mean '--log-every'? (--help lists all)");
  EXPECT_HAS(error({"--deter"}), "did you mean '--deterministic'?");
  EXPECT_HAS(error({"--deter"}), "did you mean '--deterministic'?");
  EXPECT_EQ(error({"--completely-else"}), "unknown option '--completely-else' (--help lists all)");
  EXPECT_HAS(error({"-x"}), "unknown option '-x'");
  EXPECT_HAS(error({"file.h5"}), "unexpected 'file.h5'");
  EXPECT_EQ(error({"--batch", "abc"}), "option --batch: 'abc' is not allowed; give an integer in 1..1048576");
  for (const char* bad : {"0", "1048577", "1e3", "5 ", "", "99999999999999999999", "nan", "1.0", "0x10"}) {
    EXPECT_HAS(error({"--batch", bad}), "option --batch: '" + std::string(bad) + "' is not allowed");
  }
  EXPECT_EQ(error({"--rate", "0"}), "option --rate: '0' is not allowed; give a number greater than 0");
  for (const char* bad : {"nan", "inf", "x", "1e-4x", "", "-1e-9", "1e999"}) {
    EXPECT_HAS(error({"--rate", bad}), "option --rate: '" + std::string(bad) + "' is not allowed");
  }
  for (const char* bad : {"nan", "-nan", "inf"}) EXPECT_HAS(error({"--hinge", bad}), "option --hinge");
  EXPECT_EQ(error({"--log-every", "0"}),
            "option --log-every: '0' is not allowed; give an integer at least 1");
  EXPECT_EQ(error({"--method", "gan"}), "option --method: 'gan' is not allowed; give one of ebm_bb, ebm_0gp");
  EXPECT_EQ(error({"--batch"}), "option --batch needs a value; give an integer in 1..1048576");
  EXPECT_HAS(error({"--batch", "--seed", "5"}), "option --batch needs a value");
  EXPECT_HAS(error({"--config"}), "option --config needs a value; give a file");
  EXPECT_HAS(error({"--deterministic", "--no-deterministic"}),
             "either --deterministic or --no-deterministic");
  EXPECT_HAS(error({"--deterministic=maybe"}), "deterministic");
  EXPECT_HAS(error({"--out", "a\nb"}).substr(0, 12), "option --out");
  EXPECT_HAS(error({"--out", "\xff"}), "option --out");
  EXPECT_HAS(error({"--config", "none.toml"}), "status 1: cannot read 'none.toml'");
}

TEST_F(OptionsTest, NumbersBeyondTheirTypeAreToldItsRange) {
  const auto error = [](const std::vector<const char*>& arguments) {
    return Program().usage_error(arguments);
  };
  EXPECT_EQ(
      error({"--log-every", "9223372036854775808"}),
      "option --log-every: '9223372036854775808' is not allowed; give an integer in 1..9223372036854775807");
  EXPECT_EQ(error({"--seed", "-9223372036854775809"}),
            "option --seed: '-9223372036854775809' is not allowed; give an integer in "
            "-9223372036854775808..9223372036854775807");
  for (const char* beyond : {"1e400", "1e-400"}) {
    EXPECT_EQ(error({"--rate", beyond}),
              "option --rate: '" + std::string(beyond) +
                  "' is not allowed; give a number greater than 0, and of a size that float64 holds, "
                  "4.9e-324..1.7e308");
  }
  Program p;
  EXPECT_TRUE(p.parse({"--log-every", "9223372036854775807", "--seed", "-9223372036854775808"}));
  EXPECT_EQ(p.config.log_every, INT64_MAX);
  EXPECT_EQ(p.config.seed, INT64_MIN);

  const std::string at = (*this / "config.toml").string() + ":2: ";
  const std::string integer = config_error("batch = 1\n  log_every =9223372036854775808 # one more\n");
  EXPECT_HAS(integer, at);
  EXPECT_HAS(integer, "give an integer in 1..9223372036854775807");
  const std::string real = config_error("batch = 1\nrate = 1e400");
  EXPECT_HAS(real, at);
  EXPECT_HAS(real, "give a number greater than 0, and of a size that float64 holds");
  EXPECT_HAS(config_error("batch = 1\nout = 99999999999999999999\n"), "; mend the file");
}

TEST_F(OptionsTest, AWrongValueLeavesTheVariable) {
  Program p;
  (void)p.usage_error({"--batch", "0"});
  EXPECT_EQ(p.config.batch, 200);
  EXPECT_FALSE(p.options.was_given("batch"));
}

TEST_F(OptionsTest, HelpListsEverything) {
  Program p;
  const std::string help = p.options.help();
  for (const char* part :
       {"toy: Trains a toy.", "Training:", "--batch N", "samples per iteration (default 200; 1..1048576)",
        "--rate X", "(default 0.0002; greater than 0)", "--log-every N", "--method ebm_bb|ebm_0gp",
        "(default ebm_bb)", "--deterministic, --no-deterministic", "(default false)",
        "folder of the run * (default runs/toy)", "--config"}) {
    EXPECT_HAS(help, part);
  }
  testing::internal::CaptureStdout();
  EXPECT_FALSE(p.parse({"--help", "--batch", "7"}));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), help);
  testing::internal::CaptureStdout();
  EXPECT_FALSE(p.parse({"--version"}));
  EXPECT_HAS(testing::internal::GetCapturedStdout(), "toy ");
}

TEST_F(OptionsTest, TheCommandLineGoesBeforeTheFileAndTheFileBeforePresets) {
  const std::string file = config_file("batch = 32\nseed = 9\nrate = 1\npreset = \"code\"\n");
  Program p;
  EXPECT_TRUE(p.parse({"--seed", "10", "--config", file.c_str()}));
  ASSERT_EQ(p.config.preset, Preset::code);
  p.options.set_default("batch", 50);
  p.options.set_default("seed", 50);
  p.options.set_default("hinge", 0.1);
  p.options.set_default("method", "ebm_0gp");
  p.options.set_default("deterministic", true);
  EXPECT_EQ(p.config.batch, 32);
  EXPECT_EQ(p.config.seed, 10);
  EXPECT_EQ(p.config.rate, 1.0);
  EXPECT_EQ(p.config.hinge, 0.1);
  EXPECT_EQ(p.config.method, Method::ebm_0gp);
  EXPECT_TRUE(p.config.deterministic);
  EXPECT_FALSE(p.options.was_given("hinge"));
  EXPECT_HAS(error_of([&] { p.options.set_default("hing", 1.0); }), "did you mean 'hinge'?");
  EXPECT_HAS(error_of([&] { p.options.set_default("method", "gan"); }), "give one of ebm_bb, ebm_0gp");
}

TEST_F(OptionsTest, NamesWhatIsWrongInAFile) {
  const std::string at = (*this / "config.toml").string() + ":2: ";
  EXPECT_EQ(config_error("seed = 1\nbacth = 5\n"), at + "'bacth' is no option; did you mean 'batch'?");
  EXPECT_EQ(config_error("seed = 1\nlog-every = 5\n"),
            at + "'log-every' is no option; did you mean 'log_every'?");
  EXPECT_EQ(config_error("seed = 1\nsomething_else = 5\n"), at + "'something_else' is no option; remove it");
  EXPECT_EQ(config_error("seed = 1\nbatch = \"5\"\n"),
            at + "batch is of type string; give an integer in 1..1048576");
  EXPECT_EQ(config_error("seed = 1\nbatch = 5.0\n"),
            at + "batch is of type number; give an integer in 1..1048576");
  EXPECT_EQ(config_error("seed = 1\nbatch = 0\n"),
            at + "batch = '0' is not allowed; give an integer in 1..1048576");
  EXPECT_HAS(config_error("seed = 1\nrate = nan\n"), at + "rate = 'nan' is not allowed");
  EXPECT_HAS(config_error("seed = 1\nrate = true\n"), at + "rate is of type boolean");
  EXPECT_HAS(config_error("seed = 1\nmethod = \"gan\"\n"), at + "method = 'gan' is not allowed; give one of");
  EXPECT_HAS(config_error("seed = 1\ndeterministic = 1\n"), at + "deterministic is of type integer");
  EXPECT_HAS(config_error("seed = 1\nout = [1]\n"), at + "out is of type table or list");
  EXPECT_HAS(config_error("seed = 1\n[batch]\n"), at + "batch is of type table");
  EXPECT_HAS(config_error("seed = 1\nbatch = 1979-05-27\n"), at + "batch is of type date");
  EXPECT_HAS(config_error("seed = 1\nbatch = = 5\n"), at);
  EXPECT_HAS(config_error("seed = 1\nseed = 2\n"), at);
  EXPECT_HAS(config_error("seed = 1\nout = \"\xff\"\n"), at);
  EXPECT_HAS(config_error("seed = 1\nout = \"a\\nb\"\n"), at + "out = ");
}

TEST_F(OptionsTest, TheResolvedConfigurationReadsBackExactly) {
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 200; ++trial) {
    Program p;
    do {
      p.config.hinge = std::bit_cast<double>(random());
    } while (!std::isfinite(p.config.hinge));
    p.config.rate = std::ldexp(1.0 + 1e-3 * trial, trial * 10 - 1070);
    p.config.seed = static_cast<int64_t>(random());
    p.config.batch = 1 + trial;
    p.config.out = trial % 2 ? "C:\\a \"b\" # ' ä" : "";
    p.config.deterministic = trial % 2 == 1;
    p.config.method = trial % 3 ? Method::ebm_bb : Method::ebm_0gp;
    const std::string text = p.options.to_toml();
    Program q;
    q.options.read_config(config_file(text));
    EXPECT_EQ(std::bit_cast<uint64_t>(q.config.hinge), std::bit_cast<uint64_t>(p.config.hinge)) << text;
    EXPECT_EQ(q.config.rate, p.config.rate) << text;
    EXPECT_EQ(q.config.seed, p.config.seed);
    EXPECT_EQ(q.config.batch, p.config.batch);
    EXPECT_EQ(q.config.out, p.config.out);
    EXPECT_EQ(q.config.deterministic, p.config.deterministic);
    EXPECT_EQ(q.config.method, p.config.method);
    EXPECT_TRUE(q.options.was_given("seed"));
    EXPECT_EQ(q.options.to_toml(), text);
    EXPECT_TRUE(q.options.differences(text).empty());
  }
}

TEST_F(OptionsTest, SaysWhatDiffersFromARun) {
  Program run, now;
  const std::string text = run.options.to_toml();
  now.config.log_every = 1;
  now.config.out = "elsewhere";
  EXPECT_TRUE(now.options.differences(text).empty());
  now.config.batch = 100;
  now.config.method = Method::ebm_0gp;
  now.config.rate = 1e-3;
  now.config.deterministic = true;
  EXPECT_EQ(now.options.differences(text),
            (std::vector<std::string>{
                "method: the run has ebm_bb, now ebm_0gp", "batch: the run has 200, now 100",
                "rate: the run has 0.0002, now 0.001", "deterministic: the run has false, now true"}));
  run.config.seed = 7;  // which the other run does not have: there it has its default
  EXPECT_EQ(run.options.differences("preset=\"paper\"\nmethod=\"ebm_bb\"\nbatch=200\nrate=2e-4\nhinge=1\n"
                                    "deterministic=false\nzeta=3\n"),
            (std::vector<std::string>{"seed: the run does not have it, now 7",
                                      "zeta: the run has 3, this program has no such option"}));
  EXPECT_HAS(error_of([&] { (void)run.options.differences("= 5"); }), "the run's configuration:1");
}

TEST_F(OptionsTest, AConfigurationNamesItsProgram) {
  Program run;
  const std::string text = run.options.to_toml();
  EXPECT_HAS(text, "\nprogram = \"toy\"\n");
  EXPECT_EQ(Options::program_of(text), "toy");
  EXPECT_EQ(Options::program_of("batch = 32\n"), "");
  EXPECT_HAS(error_of([] { (void)Options::program_of("program = \n"); }), "the configuration:1");

  const auto read = [](const std::string& config) {
    return error_of([&] { Program().options.read_config_text(config, "run.h5"); });
  };
  EXPECT_EQ(read(text), "(no Error)");
  EXPECT_EQ(read("seed = 1\nprogram = \"fig2\"\n"),
            "run.h5:2: this is a configuration of 'fig2', not of toy; give one of toy");
  EXPECT_HAS(read("program = \"a\\nb\"\n"), "run.h5:1: this is a configuration of 'a?b', not of toy");
  EXPECT_HAS(read("program = [1]\n"), "run.h5:1: this is a configuration of ''");
  EXPECT_HAS(read("seed = 1\nbacth = 5\n"), "run.h5:2: 'bacth' is no option");

  int64_t batch = 200;
  Options other("fig2", "");
  other.add("batch", &batch, "");
  EXPECT_EQ(other.differences(text), (std::vector<std::string>{"program: the run has toy, now fig2"}));
  EXPECT_EQ(error_of([&] { other.read_config(config_file(text)); }),
            (*this / "config.toml").string() +
                ":2: this is a configuration of 'toy', not of fig2; give one of fig2");
}

TEST_F(OptionsTest, ConfigurationsThatNameNoProgramGoOn) {
  Program run;
  const std::string text = run.options.to_toml(), named = "program = \"toy\"\n";
  ASSERT_TRUE(contains(text, named));
  const std::string old = text.substr(0, text.find(named)) + text.substr(text.find(named) + named.size());
  EXPECT_TRUE(run.options.differences(old).empty());
  Program again;
  again.options.read_config(config_file(old));
  EXPECT_EQ(again.options.to_toml(), text);
  again.config.batch = 7;
  EXPECT_EQ(again.options.differences(old), (std::vector<std::string>{"batch: the run has 200, now 7"}));
}

TEST_F(OptionsTest, TheArgumentStandsAnywhere) {
  const std::vector<std::vector<const char*>> lines{{"file.h5", "--batch", "7", "--deterministic"},
                                                    {"--batch", "7", "file.h5", "--deterministic"},
                                                    {"--batch=7", "--deterministic", "file.h5"}};
  for (const auto& line : lines) {
    Program p;
    std::string file = "before";
    p.options.add_argument("FILE", &file, "what is read");
    EXPECT_TRUE(p.parse(line));
    EXPECT_EQ(file, "file.h5");
    EXPECT_EQ(p.config.batch, 7);
    EXPECT_TRUE(p.config.deterministic);
    EXPECT_FALSE(contains(p.options.to_toml(), "file"));
  }
}

TEST_F(OptionsTest, NamesWhatIsWrongWithTheArgument) {
  const auto error = [](const std::vector<const char*>& line) {
    Program p;
    std::string file;
    p.options.add_argument("FILE", &file, "what is read");
    return p.usage_error(line);
  };
  EXPECT_EQ(error({}), "FILE is missing: what is read");
  EXPECT_EQ(error({"--batch", "7"}), "FILE is missing: what is read");
  EXPECT_HAS(error({"a", "b"}), "unexpected 'b'");
  EXPECT_HAS(error({"--bacth", "a"}), "unknown option '--bacth'; did you mean '--batch'?");
  EXPECT_HAS(error({"--batch", "x", "a"}), "option --batch: 'x' is not allowed");

  Program p;
  std::string file;
  p.options.add_argument("FILE", &file, "what is read");
  EXPECT_HAS(p.options.help(), "Usage: toy FILE [--option value]...\n  FILE   ");
  EXPECT_HAS(p.options.help(), "what is read\n");
  testing::internal::CaptureStdout();
  EXPECT_FALSE(p.parse({"--help"}));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), p.options.help());
}

TEST_F(OptionsTest, RefusesAMalformedList) {
  Program p;
  int64_t number = 5;
  double none = NAN;
  std::string text;
  EXPECT_HAS(error_of([&] { p.options.add("batch", &number, ""); }), "'batch' cannot be added");
  EXPECT_HAS(error_of([&] { p.options.add("log-every", &number, ""); }), "'log_every' cannot be added");
  EXPECT_HAS(error_of([&] { p.options.add("config", &text, ""); }), "cannot be added");
  EXPECT_HAS(error_of([&] { p.options.add("Bad", &text, ""); }), "cannot be added");
  EXPECT_HAS(error_of([&] {
               p.options.add("small", &number, "", {6, 7});
             }),
             "the default '5' is not allowed");
  EXPECT_HAS(error_of([&] { p.options.add("none", &none, ""); }), "the default 'nan' is not allowed");
}

}  // namespace
}  // namespace ebm
