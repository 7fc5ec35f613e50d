// What one core can do at most: the figures that kernels are measured against.
#pragma once

#include "kernels/kernel_table.h"

namespace enc::bench {

/// Operations per second (a multiply and an add are two) of independent multiply-adds that stay in registers,
/// by the instruction that kernels for `isa` spend their time in; q8_0 on AVX2, which multiplies integers, is
/// measured against FMA too. 0 for scalar. The CPU must be able to run `isa`.
double measured_peak(kernels::KernelIsa isa);

}  // namespace enc::bench
