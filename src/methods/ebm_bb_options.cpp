// SPDX-License-Identifier: MIT
#include "methods/ebm_bb_options.h"

namespace ebm {

namespace {

std::vector<std::pair<std::string, std::optional<EntropyBoundKind>>> lower_bound_choices() {
  std::vector<std::pair<std::string, std::optional<EntropyBoundKind>>> list{{"none", std::nullopt}};
  for (const auto& [name, kind] : lower_bound_names) list.emplace_back(name, kind);
  return list;
}

class EbmBbChoice final : public MethodChoice {
 public:
  EbmBbChoice(const EbmBbOptions& options, OutputScale scale, bool flow = false)
      : options_(options), lower_(options.lower.value_or(EntropyBoundOptions{})), scale_(scale), flow_(flow) {
    if (options.lower) lower_bound_ = options.lower->kind;
  }

  TrainingOptions& training() override { return options_.training; }
  bool bounds_entropy() const override { return lower_bound_.has_value(); }
  void adapt(NetworkOptions& networks) const override { networks.energy_scale = scale_; }
  void suggest(NetworkOptions& networks) const override {
    if (!flow_) return;
    networks.generator = GeneratorShape::flow;
    networks.energy_curve = Curve::silu;
    networks.width = 128;
  }

  void declare(Options& options) override {
    EnergyPenaltyOptions& upper = options_.upper;
    options.group("Bounds (defaults depend on --method and --preset)");
    options.add_choice("lower_bound", &lower_bound_, lower_bound_choices(),
                       "of the generator's entropy (eq. 9, 10)");
    options.add_choice(
        "jacobian", &options_.training.jacobian, choices(jacobian_names),
        "how its Jacobian is computed: in float32, or as exactly by three TF32 products on a GPU's "
        "tensor cores");
    options.add("lobpcg_iterations", &lower_.lobpcg_iterations, "steps of LOBPCG", {0, 10000});
    options.add_choice("lobpcg_direction", &lower_.direction, choices(direction_names),
                       "LOBPCG's third basis vector: its own, or that of the authors' code");
    options.add("slq_pairs", &lower_.lanczos_pairs, "Lanczos steps of --lower-bound slq",
                {1, max_lanczos_pairs});
    options.add_choice("preconditioner", &lower_.preconditioning, choices(preconditioning_names),
                       "of LOBPCG and Lanczos");
    options.add_choice("upper_bound", &upper.kind, choices(upper_bound_names),
                       "what the energy minimises (eq. 15), or a zero-centred gradient penalty");
    options.add("penalty_weight", &upper.weight, "its weight", not_negative);
    options.add_choice("penalty_normaliser", &upper.normaliser, choices(normaliser_names),
                       "divides each squared residual: nothing, d, ||v0|| or ||v0||^2");
    options.add("hinge", &upper.hinge, "zeta of eq. 20", any_number);
    options.add_choice("penalty_backward", &upper.backward, choices(pair_backward_names),
                       "one backward signal for E and E' where E allows it, or separate ones");
    options.add_choice(
        "sample_weights", &upper.samples, choices(sample_weights_names),
        "of the samples in the energy's loss: equal, or by importance, p_E / p_G, for points whose "
        "generator is one to one");
    options.add("wide_share", &upper.wide.share,
                "share of the energy step's z that are drawn wider, with importance weights", {0, 0.9});
    options.add("wide_scale", &upper.wide.scale, "how many times as wide they are", {1, 100});
    options.add("entropy_weight", &options_.entropy_weight, "of the entropy in the generator's loss",
                not_negative);
    options.add_choice("entropy_z", &options_.entropy_points, choices(entropy_points_names),
                       "whose latent points the generator's entropy term uses");
  }

  void check() const override { ebm::check(chosen()); }

  std::vector<IdleOption> idle_options() const override {
    std::vector<IdleOption> idle;
    const auto add = [&](const std::string& with, std::initializer_list<const char*> names) {
      for (const char* name : names) idle.push_back({name, with});
    };
    const std::string lower =
        "--lower-bound " + (lower_bound_ ? name_of(*lower_bound_, lower_bound_names) : "none");
    if (!lower_bound_) add(lower, {"jacobian", "preconditioner", "entropy_weight", "entropy_z"});
    if (lower_bound_ != EntropyBoundKind::lobpcg) add(lower, {"lobpcg_iterations", "lobpcg_direction"});
    if (lower_bound_ != EntropyBoundKind::slq) add(lower, {"slq_pairs"});
    const EnergyPenaltyKind upper = options_.upper.kind;
    if (upper != EnergyPenaltyKind::bidirectional)
      add("--upper-bound " + name_of(upper, upper_bound_names), {"penalty_normaliser"});
    if (options_.upper.wide.share == 0) add("--wide-share 0", {"wide_scale"});
    if (upper == EnergyPenaltyKind::none)
      add("--upper-bound none", {"penalty_weight", "hinge", "penalty_backward"});
    return idle;
  }

  std::unique_ptr<Method> make(Kernels& kernels, const NetworkMakers& networks, DataSource& data,
                               NoiseSource* noise) const override {
    return std::make_unique<EbmBb>(kernels, networks, data, chosen(), noise);
  }

 private:
  EbmBbOptions chosen() const {
    EbmBbOptions options = options_;
    options.lower.reset();
    if (lower_bound_) {
      options.lower = lower_;
      options.lower->kind = *lower_bound_;
    }
    return options;
  }

  EbmBbOptions options_;
  std::optional<EntropyBoundKind> lower_bound_;  // none: no entropy term
  EntropyBoundOptions lower_;                    // its kind is lower_bound_
  OutputScale scale_;
  bool flow_;  // the generator of points that its preset suggests
};

/// The bounds that make the method.
void choose_bounds(EbmBbOptions& options, Variant variant, Preset preset, EntropyBoundKind kind,
                   double wgan_weight) {
  const bool code = preset == Preset::code;
  if (variant != Variant::wgan_0gp) {
    options.lower =
        EntropyBoundOptions{.kind = kind, .direction = code ? Direction::authors : Direction::orthonormal};
  }
  EnergyPenaltyOptions& upper = options.upper;
  switch (variant) {
    case Variant::ebm_bb:
      upper.kind = EnergyPenaltyKind::bidirectional;
      upper.weight = 0.001;
      upper.normaliser = code ? PenaltyNormaliser::none : PenaltyNormaliser::d;
      upper.hinge = 1;
      return;
    case Variant::ebm_0gp:
      upper.kind = EnergyPenaltyKind::gp_real;
      upper.weight = 0.001;
      break;
    case Variant::wgan_0gp:
      upper.kind = EnergyPenaltyKind::gp_interpolated;
      upper.weight = wgan_weight;
      options.entropy_weight = 0;
      break;
  }
  upper.normaliser = PenaltyNormaliser::none;
  upper.hinge = 0;
}

/// Points: a flow, whose entropy and density are exact, so that log Z has an importance-weighted bound, and the
/// bidirectional penalty, which holds the energy where the flow seldom goes (docs/results.md).
void tune_points(EbmBbOptions& options) {
  TrainingOptions& training = options.training;
  training.lr_energy = training.lr_generator = 2e-3;
  training.optimiser.adam = {.beta1 = 0.5, .beta2 = 0.99, .epsilon = 1e-8};
  training.optimiser.schedule.kind = RateSchedule::Kind::cosine;
  options.lower = EntropyBoundOptions{.kind = EntropyBoundKind::logdet};
  training.generator_steps = 2;
  options.upper.weight = 0.003;
  options.upper.hinge = 0;
  options.upper.samples = SampleWeighting::importance;
  options.upper.wide = {.share = 0.2, .scale = 3};
}

template <Variant variant>
std::unique_ptr<MethodChoice> choose(NetworkKind networks, Preset preset) {
  const bool scaled = networks == NetworkKind::toy && preset == Preset::code;
  const bool flow = networks == NetworkKind::toy && preset == Preset::tuned && variant == Variant::ebm_bb;
  return std::make_unique<EbmBbChoice>(ebm_bb_options(networks, variant, preset),
                                       scaled ? OutputScale::learned : OutputScale::none, flow);
}

}  // namespace

EbmBbOptions ebm_bb_options(NetworkKind networks, Variant variant, Preset preset) {
  const bool toy = networks == NetworkKind::toy, mlp = networks == NetworkKind::mlp;
  // On images the authors' constants train where the paper's run off (docs/training.md).
  if (!toy && preset == Preset::tuned) preset = Preset::code;
  const bool code = preset == Preset::code;
  EbmBbOptions options;
  TrainingOptions& training = options.training;
  training.batch = toy ? 200 : 64;
  training.lr_energy = training.lr_generator = toy || mlp ? 2e-4 : 5e-5;
  training.optimiser.adam = {.beta1 = 0, .beta2 = toy || mlp ? 0.9 : 0.999, .epsilon = code ? 1e-6 : 1e-8};
  if (toy) {
    choose_bounds(options, variant, preset, code ? EntropyBoundKind::s1 : EntropyBoundKind::lobpcg, 0.1);
    if (preset == Preset::tuned && variant == Variant::ebm_bb) tune_points(options);
    return options;
  }
  options.entropy_weight = code ? 1e-4 : 1;
  // The paper does not say whose z it is; the authors' EBM-BB has one Jacobian an iteration for both bounds.
  options.entropy_points = variant == Variant::ebm_bb ? EntropyPoints::energy : EntropyPoints::generator;
  // WGAN-0GP: the weights of the first author's public runs of its nearest kin (MEG's penalty).
  choose_bounds(options, variant, preset, EntropyBoundKind::lobpcg, mlp ? 10 : 0.1);
  if (code) options.upper.hinge = 0;
  return options;
}

std::unique_ptr<MethodChoice> choose_ebm_bb(NetworkKind networks, Preset preset) {
  return choose<Variant::ebm_bb>(networks, preset);
}
std::unique_ptr<MethodChoice> choose_ebm_0gp(NetworkKind networks, Preset preset) {
  return choose<Variant::ebm_0gp>(networks, preset);
}
std::unique_ptr<MethodChoice> choose_wgan_0gp(NetworkKind networks, Preset preset) {
  return choose<Variant::wgan_0gp>(networks, preset);
}

std::unique_ptr<MethodChoice> choice_of(const EbmBbOptions& options) {
  return std::make_unique<EbmBbChoice>(options, OutputScale::none);
}

}  // namespace ebm
