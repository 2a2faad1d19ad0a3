// SPDX-License-Identifier: MIT
#include "support/oracle_options.h"

#include <stdexcept>

namespace ebm::test {

namespace {

reference::LowerBound oracle_lower_bound(const EntropyBoundOptions& options) {
  switch (options.kind) {
    case EntropyBoundKind::lobpcg:
      return options.direction == Direction::authors ? reference::LowerBound::authors
                                                     : reference::LowerBound::lobpcg;
    case EntropyBoundKind::s1:
      return reference::LowerBound::s1;
    case EntropyBoundKind::logdet:
      return reference::LowerBound::log_det;
    case EntropyBoundKind::slq:
      return reference::LowerBound::slq_gauss;
  }
  throw std::invalid_argument("unknown lower bound");
}

reference::UpperBound oracle_upper_bound(EnergyPenaltyKind kind) {
  switch (kind) {
    case EnergyPenaltyKind::bidirectional:
      return reference::UpperBound::bidirectional;
    case EnergyPenaltyKind::gp_real:
      return reference::UpperBound::zero_centred_real;
    case EnergyPenaltyKind::gp_fake:
      return reference::UpperBound::zero_centred_fake;
    case EnergyPenaltyKind::gp_interpolated:
      return reference::UpperBound::zero_centred_between;
    case EnergyPenaltyKind::none:
      break;
  }
  throw std::invalid_argument("unknown upper bound");
}

reference::Normaliser oracle_normaliser(PenaltyNormaliser normaliser) {
  switch (normaliser) {
    case PenaltyNormaliser::none:
      return reference::Normaliser::none;
    case PenaltyNormaliser::d:
      return reference::Normaliser::d;
    case PenaltyNormaliser::v:
      return reference::Normaliser::v;
    case PenaltyNormaliser::v2:
      return reference::Normaliser::v2;
  }
  throw std::invalid_argument("unknown normaliser");
}

}  // namespace

void set_lower_bound(reference::EbmBbConfig& config, const EntropyBoundOptions& options) {
  if (options.preconditioning != Preconditioning::none) throw std::invalid_argument("no preconditioner here");
  config.lower = oracle_lower_bound(options);
  config.iterations =
      options.kind == EntropyBoundKind::slq ? options.lanczos_pairs : options.lobpcg_iterations;
}

void set_upper_bound(reference::EbmBbConfig& config, const EnergyPenaltyOptions& options) {
  config.upper = oracle_upper_bound(options.kind);
  config.penalty_weight = options.weight;
  config.normaliser = oracle_normaliser(options.normaliser);
  config.hinge = options.hinge;
}

reference::EbmBbConfig oracle_config(const EbmBbOptions& options) {
  reference::EbmBbConfig config{.lower = reference::LowerBound::none,
                                .entropy_weight = options.entropy_weight,
                                .entropy_z = options.entropy_points == EntropyPoints::energy
                                                 ? reference::EntropyZ::energy
                                                 : reference::EntropyZ::generator,
                                .lr_energy = options.training.lr_energy,
                                .lr_generator = options.training.lr_generator,
                                .beta1 = options.training.optimiser.adam.beta1,
                                .beta2 = options.training.optimiser.adam.beta2,
                                .epsilon = options.training.optimiser.adam.epsilon};
  if (options.lower) set_lower_bound(config, *options.lower);
  set_upper_bound(config, options.upper);
  return config;
}

}  // namespace ebm::test
