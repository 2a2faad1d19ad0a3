// SPDX-License-Identifier: MIT
// The list of all formulas. A new formula is a struct in src/kernels/formulas/ and one name here.
#pragma once

#include <cstddef>
#include <type_traits>

#include "kernels/formulas/activations.h"
#include "kernels/formulas/adam.h"
#include "kernels/formulas/average_pool.h"
#include "kernels/formulas/batch_norm.h"
#include "kernels/formulas/batch_norm_backward.h"
#include "kernels/formulas/bounds.h"
#include "kernels/formulas/branches.h"
#include "kernels/formulas/columns.h"
#include "kernels/formulas/counter.h"
#include "kernels/formulas/coupling.h"
#include "kernels/formulas/cross_entropy.h"
#include "kernels/formulas/dropout.h"
#include "kernels/formulas/gan.h"
#include "kernels/formulas/gram.h"
#include "kernels/formulas/hutchinson.h"
#include "kernels/formulas/images.h"
#include "kernels/formulas/importance.h"
#include "kernels/formulas/information.h"
#include "kernels/formulas/lanczos.h"
#include "kernels/formulas/leaky_relu.h"
#include "kernels/formulas/linear.h"
#include "kernels/formulas/lobpcg.h"
#include "kernels/formulas/max_pool.h"
#include "kernels/formulas/objectives.h"
#include "kernels/formulas/parameters.h"
#include "kernels/formulas/preconditioner.h"
#include "kernels/formulas/resize.h"
#include "kernels/formulas/sample_weights.h"
#include "kernels/formulas/shapes.h"
#include "kernels/formulas/smooth.h"
#include "kernels/formulas/spectral_norm.h"
#include "kernels/formulas/sums.h"
#include "kernels/formulas/tangents.h"
#include "kernels/formulas/tanh.h"
#include "kernels/formulas/toy_data.h"
#include "kernels/formulas/window.h"

namespace ebm {

template <class... F>
struct FormulaList {
  /// The place of a formula in the list. Does not compile for one that is not in it.
  template <class Formula>
  static constexpr size_t index() {
    static_assert((std::is_same_v<Formula, F> || ...), "not in the list of kernels/formulas.h");
    size_t place = 0;
    bool found = false;
    ((found = found || std::is_same_v<Formula, F>, place += found ? 0 : 1), ...);
    return place;
  }
};

using Formulas = FormulaList<
    // linear algebra
    LobpcgStart, UnitImage, LobpcgResidual, LobpcgOrthonormalize, LobpcgRayleighRitz, LobpcgFinish,  //
    UnitVectors, GramMatrix, GramEigen, GramImages, GramInverse, GramCotangents,                     //
    RowTimesMatrix, FiniteRows, SecondMoment, MomentWeight, PreconditionerFactor,                    //
    LanczosStart, LanczosNext, LanczosQuadrature, HutchinsonEstimate,                                //
    // training
    Advance, AdamSchedule, AdamStep, SquaredNorm, ClipFactor, ExponentialAverage, ClampParameter,  //
    // data
    ToyBatch, ToyProposal, ToyProposalDensity, PickImages, ImageBatch, ShapeImages, ResizeLines,
    ResizeColumns,  //
    // bounds
    SingularValueBound, ScaleRows, ZeroBadRows, FiniteSamples, LogDetBound, GeneratorScore, EnergyObjective,
    EntropyMean, ScaleBy, GeneratorObjective, Interpolate, WidenLatents, LogSampleDensity, SampleWeights,  //
    // other losses
    GanObjective, GanGeneratorObjective, InformationObjective, PermuteRows, AddPosteriorNoise,
    ImportanceRatio, ImportanceWeights, ImportanceScore, EntropyCotangent, VeraGeneratorObjective,
    PosteriorSurprise, PosteriorGradient, PosteriorObjective,  //
    // layers
    ToActivations, FromActivations, AddBias, AddTo, ColumnSum, WeightedColumnSum, TotalSum, MixTangents,
    AddTangents, WindowSum, WindowSpread,                                                          //
    LeakyRelu, LeakyReluLinearized, MaskedColumnSum, PreluBackward,                                //
    Tanh, TanhLinearized, TanhCurvature, Smooth, SmoothLinearized, SmoothCurvature,                //
    BatchNormStatistics, BatchNormRankSums, BatchNormOfRanks, BatchNormRunning,                    //
    BatchNormApply, BatchNormScale,                                                                //
    BatchNormProjections, BatchNormProject, BatchNormPairing, BatchNormCurvature,                  //
    BatchNormBackward, BatchNormTangentBackward, BatchNormTangentWeight, BatchNormSharedBackward,  //
    RowDots, SpectralStep, SpectralWeight, SpectralGradient,                                       //
    Coupling, CouplingTangent, CouplingLogDet, CouplingBackward, CouplingInputs, JoinColumns, AddColumns,
    ExpOf,
    ScaledTotal,  //
    MaxPooling, MaxPoolingPick, MaxPoolingSpread, AveragePooling, JoinBranches, Dropout, CrossEntropy>;

}  // namespace ebm
