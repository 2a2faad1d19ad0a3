// SPDX-License-Identifier: MIT
// The Frechet distance of two Gaussians (Dowson and Landau 1982), the FID when they are fitted to Inception
// features of images (Heusel et al. 2017, arXiv:1706.08500):
//
//   d^2 = |m_1 - m_2|^2 + tr C_1 + tr C_2 - 2 tr (C_1 C_2)^(1/2)
//
// C_1 C_2 has the eigenvalues of C_1^(1/2) C_2 C_1^(1/2), which is symmetric, so the trace is the sum of the
// square roots of the eigenvalues of A = W C_2 W^T, W = L^(1/2) U^T from C_1 = U L U^T: two symmetric
// eigenproblems (LAPACK's dsyevd), no square root of a general matrix and no complex numbers. Directions in
// which C_1 is zero to rounding (fewer samples than features) are left out, and eigenvalues of A that are
// zero to rounding count as zero.
//
// Protocol: this is pytorch-fid's and torch-fidelity's value (the latter sums the square roots of the
// eigenvalues of C_1 C_2). They differ in the network, how images come to 299 x 299, and the reference: that
// is the caller's.
#pragma once

#include "metrics/moments.h"

namespace ebm {

/// d^2, symmetric in its arguments and >= 0, both to rounding. Throws Error when the sizes do not fit
/// together, a number is not finite, a covariance is not positive semi-definite (an eigenvalue below -1e-6 of
/// the largest), or LAPACK fails.
double frechet_distance(const Moments& first, const Moments& second);

}  // namespace ebm
