// How far a kernel may be from the reference. A bound without a reason is a guess, so each has one.
#pragma once

namespace enc::test {

/// Of sum |x_i w_i| + |b|. A chain of k roundings, each at most 6e-8 of the sum so far, errs by about sqrt(k)
/// * 6e-8 / 2 in practice and k * 6e-8 at worst; k <= 3100 here.
constexpr double kDotProduct = 1.5e-6;

/// Same, for units that multiply bf16 pairs: they flush subnormals and may round a pair's sum once or twice.
constexpr double kDotProductBf16Unit = 2e-6;

/// Normalized mean square error of int8 activations against f32: rounding to 1/254 of a block's largest
/// value, about 2.5 deviations, leaves (2.5 / 127)^2 / 12 = 3e-5 of the variance; blocks with an outlier of
/// 40 deviations, 1 in 24, more.
constexpr double kInt8Nmse = 1e-3;

/// Absolute, for activation functions on values up to 10 (of max(1, |y|) beyond): gelu_erf's stated bound.
constexpr double kActivation = 5e-7;

/// Of max(1, |y|): a normalized row is computed from a mean and a variance that each err by a few 1e-7.
constexpr double kLayerNorm = 4e-6;

/// Of the largest |v|: weights err by 1.5e-7 each and by 2e-7 through scores of magnitude up to 10.
constexpr double kAttention = 1e-6;

/// Same, with operands rounded to bf16: values and weights err by 2^-9 each, and scores of magnitude up to 4,
/// sums of products that err by 2^-8, move the weights by about a percent.
constexpr double kAttentionBf16 = 1e-2;

}  // namespace enc::test
