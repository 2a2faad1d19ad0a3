// SPDX-License-Identifier: MIT
// Iteration dumps: all that docs/formats.md lists is there, and replaying a dump gives the same bits.
#include "train/dump.h"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "../io/io_fixture.h"
#include "train/played.h"
#include "train/state.h"
#include "train/trainer_fixture.h"
#include "train/wide_ebm_bb.h"

namespace ebm::test {
namespace {

using Shape = std::vector<int64_t>;
using Arrays = std::map<std::string, Shape>;

/// Every array of `file` below `group`, and its shape. `type` is asked of each name.
void list_arrays(const Hdf5File& file, const std::string& group, Arrays& arrays) {
  for (const std::string& name : file.list(group.empty() ? "/" : group)) {
    const std::string path = group.empty() ? name : group + "/" + name;
    if (path.ends_with("/step")) {
      arrays[path] = file.read_dataset<int64_t>(path).dims;
    } else if (path.ends_with("bound/state")) {
      arrays[path] = file.read_dataset<double>(path).dims;
    } else {
      try {
        arrays[path] = file.read_dataset<float>(path).dims;
      } catch (const Error&) {
        list_arrays(file, path, arrays);
      }
    }
  }
}

/// Names and shapes of the networks of Table 6.
struct TableSix {
  int64_t d, hidden, D;
  std::string prefix;  ///< "main."

  Arrays energy() const {
    return named({{"0.weight", {hidden, D}},
                  {"0.bias", {hidden}},
                  {"1.weight", {1}},
                  {"2.weight", {hidden, hidden}},
                  {"2.bias", {hidden}},
                  {"3.weight", {1}},
                  {"4.weight", {1, hidden}},
                  {"4.bias", {1}}});
  }
  Arrays generator() const {
    return named({{"0.weight", {hidden, d}},
                  {"0.bias", {hidden}},
                  {"1.weight", {1}},
                  {"2.weight", {hidden}},
                  {"2.bias", {hidden}},
                  {"3.weight", {hidden, hidden}},
                  {"3.bias", {hidden}},
                  {"4.weight", {1}},
                  {"5.weight", {hidden}},
                  {"5.bias", {hidden}},
                  {"6.weight", {D, hidden}},
                  {"6.bias", {D}}});
  }
  Arrays statistics() const {
    return named({{"2.running_mean", {hidden}},
                  {"2.running_var", {hidden}},
                  {"5.running_mean", {hidden}},
                  {"5.running_var", {hidden}}});
  }

 private:
  Arrays named(const Arrays& layers) const {
    Arrays result;
    for (const auto& [name, shape] : layers) result[prefix + name] = shape;
    return result;
  }
};

void add(Arrays& to, const std::string& group, const Arrays& arrays) {
  for (const auto& [name, shape] : arrays) to[group + name] = shape;
}

/// What every dump holds: states, gradients, and the draws and results of all methods.
Arrays common_arrays(const TableSix& table, const Arrays& energy, int64_t batch) {
  Arrays arrays{{"inputs/x", {batch, table.D}},
                {"inputs/z", {batch, table.d}},
                {"inputs/z_generator", {batch, table.d}},
                {"results/energy_real", {batch}},
                {"results/energy_fake", {batch}},
                {"results/directional", {batch}},
                {"results/energy_generator", {batch}},
                {"results/penalty", {}},
                {"results/loss_energy", {}},
                {"results/loss_generator", {}}};
  for (const std::string when : {"before/", "after/"}) {
    add(arrays, when + "energy/", energy);
    add(arrays, when + "generator/", table.generator());
    add(arrays, when + "generator/", table.statistics());
    for (const std::string moment : {"exp_avg/", "exp_avg_sq/"}) {
      add(arrays, when + "adam/energy/" + moment, energy);
      add(arrays, when + "adam/generator/" + moment, table.generator());
    }
    for (const std::string network : {"energy", "generator"}) arrays[when + "adam/" + network + "/step"] = {};
  }
  add(arrays, "gradients/energy/", energy);
  add(arrays, "gradients/generator/", table.generator());
  return arrays;
}

constexpr int64_t batch = 11;

struct DumpCase {
  std::string name;
  EbmBbOptions options;
  Arrays also;  ///< besides common_arrays: what this case draws and finds, with d = 4, D = 5
};
std::ostream& operator<<(std::ostream& out, const DumpCase& dump) {
  return out << dump.name;
}

std::vector<DumpCase> dump_cases() {
  constexpr int64_t d = 4, D = 5;
  const Arrays at_energy{{"inputs/v0", {batch, d}},
                         {"results/v", {batch, d}},
                         {"results/log_s1", {batch}},
                         {"results/entropy", {batch}}};
  const Arrays at_generator{{"inputs/v0_generator", {batch, d}},
                            {"results/v_generator", {batch, d}},
                            {"results/log_s1_generator", {batch}},
                            {"results/entropy_generator", {batch}}};
  const auto joined = [](std::initializer_list<Arrays> parts) {
    Arrays all;
    for (const Arrays& part : parts) all.insert(part.begin(), part.end());
    return all;
  };
  const auto options = [](Variant method, Preset preset) {
    EbmBbOptions result = ebm_bb_options(NetworkKind::toy, method, preset);
    result.training.batch = batch;
    return result;
  };
  const Arrays of_bound{{"results/share_good", {}}, {"results/share_floored", {}}};
  const Arrays bidirectional{{"results/a", {batch, d}}, {"results/jv0", {batch, D}}};
  DumpCase bb{
      "EbmBb", options(Variant::ebm_bb, Preset::paper),
      joined({at_generator, of_bound, bidirectional, {{"inputs/v0", {batch, d}}, {"results/entropy", {}}}})};
  DumpCase shared = bb;
  shared.name = "AtEnergyPoints";
  shared.options.entropy_points = EntropyPoints::energy;
  shared.also = joined({at_energy, of_bound, bidirectional});
  DumpCase authors = bb;
  authors.name = "Authors";
  authors.options.lower->direction = Direction::authors;
  add(authors.also, "", at_energy);  // p0 is more than J v0, and so is e
  authors.also["inputs/p0"] = authors.also["inputs/p0_generator"] = {batch, d};
  DumpCase slq = bb;
  slq.name = "SlqPreconditioned";
  slq.options.lower =
      EntropyBoundOptions{.kind = EntropyBoundKind::slq, .preconditioning = Preconditioning::running_gram};
  add(slq.also, "", at_energy);
  slq.also["inputs/e"] = slq.also["inputs/e_generator"] = {batch, D};
  slq.also["before/bound/state"] = slq.also["after/bound/state"] = {d * d + 2};
  DumpCase logdet = bb;
  logdet.name = "LogDet";
  logdet.options.lower->kind = EntropyBoundKind::logdet;
  logdet.also.erase("results/v");
  logdet.also.erase("results/v_generator");
  return {bb,
          shared,
          authors,
          slq,
          logdet,
          {"Ebm0gp", options(Variant::ebm_0gp, Preset::paper),
           joined({at_generator, of_bound, {{"results/entropy", {}}}})},
          {"Wgan0gp", options(Variant::wgan_0gp, Preset::paper), {{"inputs/alpha", {batch}}}}};
}

class DumpTest : public IoTest, public testing::WithParamInterface<std::tuple<DumpCase, std::string>> {
 protected:
  const DumpCase& dump_case() const { return std::get<0>(GetParam()); }
  const std::string& device() const { return std::get<1>(GetParam()); }
};

/// The whole state, in bits that can be compared.
std::vector<std::vector<float>> state_of(Method& method) {
  std::vector<std::vector<float>> all;
  for (const Learner* learner : method.learners()) {
    for (auto* list : {&state_arrays, &gradient_arrays})
      for (const NamedArray& array : list(*learner)) all.push_back(download(method.kernels(), array.view));
  }
  return all;
}

TEST_P(DumpTest, HoldsEveryArrayAndChangesNothing) {
  WideEbmBb dumped(device(), dump_case().options), plain(device(), dump_case().options);
  dumped.ebm_bb.iterate();
  dump_iteration(dumped.ebm_bb, {}, *this / "dump.h5");
  dumped.ebm_bb.iterate();
  for (int iteration = 0; iteration < 3; ++iteration) plain.ebm_bb.iterate();
  EXPECT_EQ(state_of(dumped.ebm_bb), state_of(plain.ebm_bb));
  for (const char* name : {"energy", "generator"})
    EXPECT_EQ(dumped.ebm_bb.learner(name).steps().download(), plain.ebm_bb.learner(name).steps().download());

  const TableSix table{.d = 4, .hidden = 9, .D = 5, .prefix = ""};
  Arrays expected = common_arrays(table, table.energy(), batch);
  add(expected, "", dump_case().also);
  Arrays found;
  list_arrays(Hdf5File::open_read(*this / "dump.h5"), "", found);
  EXPECT_EQ(found, expected);
}

/// An array of float32, whatever its shape.
std::vector<float> values_of(const Hdf5File& file, const std::string& path) {
  return file.read_dataset<float>(path).values;
}

TEST_P(DumpTest, ReplayedItGivesTheSameBits) {
  WideEbmBb first(device(), dump_case().options);
  first.ebm_bb.iterate();
  dump_iteration(first.ebm_bb, {}, *this / "dump.h5");
  const Hdf5File file = Hdf5File::open_read(*this / "dump.h5", Hdf5File::Strings::variable);

  WideEbmBb again(device(), dump_case().options, Noise::recorded);
  for (const std::string& name : file.list("inputs")) {
    const auto values = values_of(file, "inputs/" + name);
    again.recorded.record(name, {batch, std::ssize(values) / batch, values});
  }
  read_state(file, again.ebm_bb, "before/");
  const Played played = play(again.ebm_bb);
  for (const auto& [name, values] : played.results) {
    if (name == "log_s1" || name == "log_s1_generator") continue;  // NaN for slq
    EXPECT_EQ(values_of(file, "results/" + name), values) << name;
  }
  for (const Learner* learner : again.ebm_bb.learners()) {
    for (const NamedArray& array : gradient_arrays(*learner))
      EXPECT_EQ(values_of(file, "gradients/" + array.name), download(*again.kernels, array.view))
          << array.name;
  }
  const auto after = state_of(again.ebm_bb);
  read_state(file, again.ebm_bb, "after/");
  EXPECT_EQ(state_of(again.ebm_bb), after);
  EXPECT_EQ(state_of(first.ebm_bb), after);
}

INSTANTIATE_TEST_SUITE_P(All, DumpTest,
                         testing::Combine(testing::ValuesIn(dump_cases()), testing::ValuesIn(devices())),
                         [](const auto& info) {
                           return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
                         });

using ToyDumpTest = IoTest;

TEST_F(ToyDumpTest, NamesAndAttributesOfTheAuthorsToy) {
  const auto kernels = open_device("cpu");
  EbmBbOptions options = ebm_bb_options(NetworkKind::toy, Variant::ebm_bb, Preset::code);
  options.training.batch = batch;
  options.upper = {.kind = EnergyPenaltyKind::bidirectional,
                   .weight = 0.25,
                   .normaliser = PenaltyNormaliser::v2,
                   .hinge = 0.5};
  options.entropy_weight = 0.75;
  options.training.lr_energy = 1e-3;
  options.training.lr_generator = 2e-3;
  options.training.optimiser.adam = {.beta1 = 0.125, .beta2 = 0.875, .epsilon = 1e-7};
  NetworkOptions networks = SmallEbmBb::networks();
  networks.energy_scale = OutputScale::learned;
  ToyData data(*kernels, ToyDataset::gaussians25, batch, 1, 1);
  EbmBb ebm_bb(*kernels, makers_of(networks), data, options);
  ebm_bb.initialize();
  const auto choice = choice_of(options);
  Options named("toy_bb", "");
  choice->declare(named);
  declare_optimiser(named, choice->training());
  dump_iteration(ebm_bb, named.run_values(), *this / "dump.h5");
  const Hdf5File file = Hdf5File::open_read(*this / "dump.h5", Hdf5File::Strings::variable);

  const TableSix table{.d = 2, .hidden = 9, .D = 2, .prefix = "main."};
  Arrays energy_arrays = table.energy();
  energy_arrays["l.weight"] = {1, 1};
  Arrays expected = common_arrays(table, energy_arrays, batch);
  const Shape vectors{batch, 2}, numbers{batch};
  add(expected, "", {{"inputs/v0", vectors}, {"inputs/v0_generator", vectors}, {"results/a", vectors}});
  // The energy step takes no more than J v0; its entropy is the mean of the generator's.
  add(expected, "results/",
      {{"v_generator", vectors},
       {"log_s1_generator", numbers},
       {"entropy_generator", numbers},
       {"entropy", {}},
       {"share_good", {}},
       {"share_floored", {}},
       {"jv0", vectors}});
  Arrays found;
  list_arrays(file, "", found);
  EXPECT_EQ(found, expected);

  const std::map<std::string, std::string> texts{
      {"lower_bound", "s1"},      {"upper_bound", "bidirectional"}, {"lobpcg_direction", "authors"},
      {"preconditioner", "none"}, {"penalty_normaliser", "v2"},     {"penalty_backward", "automatic"},
      {"entropy_z", "generator"}, {"lr_schedule", "constant"},      {"sample_weights", "equal"},
      {"jacobian", "fp32"}};
  const std::map<std::string, double> doubles{
      {"penalty_weight", 0.25},  {"hinge", 0.5},          {"entropy_weight", 0.75},
      {"lr_energy", 1e-3},       {"lr_generator", 2e-3},  {"adam_beta1", 0.125},
      {"adam_beta2", 0.875},     {"adam_epsilon", 1e-7},  {"ema", 0},
      {"clip_gradient_norm", 0}, {"weight_decay", 0},     {"lr_step_factor", 0.3},
      {"lr_first_step", 0.8},    {"lr_second_step", 0.9}, {"wide_share", 0},
      {"wide_scale", 1}};
  const std::map<std::string, int64_t> integers{
      {"lobpcg_iterations", 2}, {"slq_pairs", 3}, {"lr_horizon", 0}, {"warm_up", 0}, {"iteration", 1}};
  for (const auto& [name, value] : texts)
    EXPECT_EQ(file.read_attribute<std::string>("/", name), value) << name;
  for (const auto& [name, value] : doubles) EXPECT_EQ(file.read_attribute<double>("/", name), value) << name;
  for (const auto& [name, value] : integers)
    EXPECT_EQ(file.read_attribute<int64_t>("/", name), value) << name;
  EXPECT_EQ(file.list_attributes("/").size(), texts.size() + doubles.size() + integers.size());
}

}  // namespace
}  // namespace ebm::test
