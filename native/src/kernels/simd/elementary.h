// exp, tanh and the activations over one vector of f32, written once for every vector type S of simd/*.h.
// Polynomials are least-maximum fits (Lawson's iteration in double), coefficients rounded one at a time.
#pragma once

#include "kernels/gemm/gemm.h"
#include "kernels/simd/inline.h"

namespace enc::kernels {
namespace {

/// e^x: relative error below 2e-7 on [-87, 88]; 0 below -87.3, infinite above 88.7, NaN for NaN.
/// x = n ln2 + r with ln2 in two parts, then a polynomial of degree 6 in r.
template <class S>
ENC_INLINE typename S::F exp_f32(typename S::F x) {
  // The constant first: min and max give their second operand when one is NaN.
  x = S::min(S::set(89.0f), S::max(S::set(-104.0f), x));
  const typename S::F n = S::round(S::mul(x, S::set(1.44269504f)));
  typename S::F r = S::fnma(n, S::set(0.693145752f), x);
  r = S::fnma(n, S::set(1.42860677e-6f), r);
  typename S::F p = S::set(0.0013843661f);
  p = S::fma(p, r, S::set(0.00837416f));
  p = S::fma(p, r, S::set(0.041668f));
  p = S::fma(p, r, S::set(0.16666432f));
  p = S::fma(p, r, S::set(0.49999994f));
  p = S::fma(p, r, S::set(1.0f));
  p = S::fma(p, r, S::set(1.0f));
  return S::scale_by_power(p, n);
}

/// 2^t for t <= 0, as softmax wants it: relative error below 1.5e-7 times the rounding of t itself; 0 or at
/// most 2^-126 below -126, NaN for NaN. t = n + f, then a polynomial of degree 5 in f.
template <class S>
ENC_INLINE typename S::F exp2_nonpositive_f32(typename S::F t) {
  t = S::max(S::set(-126.0f), t);
  const typename S::F n = S::round(t);
  const typename S::F f = S::sub(t, n);
  typename S::F p = S::set(0.0013269441f);
  p = S::fma(p, f, S::set(0.009671296f));
  p = S::fma(p, f, S::set(0.055507112f));
  p = S::fma(p, f, S::set(0.24022247f));
  p = S::fma(p, f, S::set(0.693147f));
  p = S::fma(p, f, S::set(1.0f));
  return S::scale_by_normal_power(p, n);
}

/// tanh(x): relative error below 4e-7. An odd polynomial up to 0.625, 1 - 2 / (e^2|x| + 1) above.
template <class S>
ENC_INLINE typename S::F tanh_f32(typename S::F x) {
  const typename S::F t = S::abs(x), square = S::mul(x, x);
  typename S::F p = S::set(-0.005704911f);
  p = S::fma(p, square, S::set(0.020639023f));
  p = S::fma(p, square, S::set(-0.053739697f));
  p = S::fma(p, square, S::set(0.13331442f));
  p = S::fma(p, square, S::set(-0.3333328f));
  const typename S::F small = S::fma(S::mul(p, square), x, x);
  const typename S::F e = exp_f32<S>(S::add(t, t));
  const typename S::F large = S::sub(S::set(1.0f), S::div(S::set(2.0f), S::add(e, S::set(1.0f))));
  return S::select_less(t, S::set(0.625f), small, S::copysign(large, x));
}

/// x * Phi(x) as max(x, 0) - t Q(t), t = |x|, Q the normal tail: what is approximated is a bump of height
/// 0.17, so that its error, not x's, decides. Q(t) = P(t)^-8 with P of degree 8, which decays like the tail
/// itself and needs no exponential. Max abs error 2.8e-7 against double on [-10, 10], half of it the rounding
/// of the result.
template <class S>
ENC_INLINE typename S::F gelu_erf_f32(typename S::F x) {
  const typename S::F t = S::min(S::set(16.0f), S::abs(x));  // P(16)^-8 is 4e-33; beyond, P would overflow
  typename S::F p = S::set(3.3506706e-06f);
  p = S::fma(p, t, S::set(-2.0329211e-05f));
  p = S::fma(p, t, S::set(0.00011780046f));
  p = S::fma(p, t, S::set(8.835142e-05f));
  p = S::fma(p, t, S::set(0.00112416f));
  p = S::fma(p, t, S::set(0.009317237f));
  p = S::fma(p, t, S::set(0.04886962f));
  p = S::fma(p, t, S::set(0.10875221f));
  p = S::fma(p, t, S::set(1.0905083f));
  typename S::F q = S::reciprocal(p);
  q = S::mul(q, q);
  q = S::mul(q, q);
  q = S::mul(q, q);
  return S::fnma(t, q, S::max(S::zero(), x));
}

/// x / (1 + e^-z): SiLU for z = x, GELU's tanh form for z = 2 sqrt(2/pi) (x + 0.044715 x^3).
template <class S>
ENC_INLINE typename S::F times_sigmoid_f32(typename S::F x, typename S::F z) {
  const typename S::F e = exp_f32<S>(S::sub(S::zero(), z));
  return S::div(x, S::add(S::set(1.0f), e));
}

/// x * tanh(ln(1 + e^x)) as x n / (n + 2), n = e^x (e^x + 2): nothing cancels. From 20 on the fraction is 1.
template <class S>
ENC_INLINE typename S::F mish_f32(typename S::F x) {
  const typename S::F e = exp_f32<S>(S::min(S::set(20.0f), x));
  const typename S::F n = S::mul(e, S::add(e, S::set(2.0f)));
  return S::mul(x, S::div(n, S::add(n, S::set(2.0f))));
}

template <class S, Activation A>
ENC_INLINE typename S::F activate(typename S::F x) {
  if constexpr (A == Activation::kGeluErf) {
    return gelu_erf_f32<S>(x);
  } else if constexpr (A == Activation::kGeluTanh) {
    const typename S::F cubic = S::fma(S::mul(S::mul(x, x), x), S::set(0.044715f), x);
    return times_sigmoid_f32<S>(x, S::mul(cubic, S::set(1.59576912f)));
  } else if constexpr (A == Activation::kRelu) {
    return S::max(S::zero(), x);
  } else if constexpr (A == Activation::kTanh) {
    return tanh_f32<S>(x);
  } else if constexpr (A == Activation::kSilu) {
    return times_sigmoid_f32<S>(x, x);
  } else if constexpr (A == Activation::kGeluQuick) {
    return times_sigmoid_f32<S>(x, S::mul(x, S::set(1.702f)));
  } else if constexpr (A == Activation::kGeluTen) {
    return S::min(S::set(10.0f), gelu_erf_f32<S>(x));
  } else if constexpr (A == Activation::kMish) {
    return mish_f32<S>(x);
  } else if constexpr (A == Activation::kRelu6) {
    return S::min(S::set(6.0f), S::max(S::zero(), x));
  } else if constexpr (A == Activation::kReluSquared) {
    const typename S::F positive = S::max(S::zero(), x);
    return S::mul(positive, positive);
  } else if constexpr (A == Activation::kSigmoid) {
    return times_sigmoid_f32<S>(S::set(1.0f), x);
  } else {
    return x;
  }
}

template <class S, Activation A>
void activate_block_as(float* y, size_t stride, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++, y += stride) {
    size_t c = 0;
    for (; c + S::kWidth <= columns; c += S::kWidth) S::store(y + c, activate<S, A>(S::load(y + c)));
    if (c < columns) S::store(y + c, activate<S, A>(S::load(y + c, columns - c)), columns - c);
  }
}

/// visit.operator()<A>() for the A that `activation` is.
template <class Visitor>
ENC_INLINE auto with_activation(Activation activation, Visitor visit) {
  switch (activation) {
    case Activation::kNone:
      return visit.template operator()<Activation::kNone>();
    case Activation::kGeluErf:
      return visit.template operator()<Activation::kGeluErf>();
    case Activation::kGeluTanh:
      return visit.template operator()<Activation::kGeluTanh>();
    case Activation::kRelu:
      return visit.template operator()<Activation::kRelu>();
    case Activation::kTanh:
      return visit.template operator()<Activation::kTanh>();
    case Activation::kSilu:
      return visit.template operator()<Activation::kSilu>();
    case Activation::kGeluQuick:
      return visit.template operator()<Activation::kGeluQuick>();
    case Activation::kGeluTen:
      return visit.template operator()<Activation::kGeluTen>();
    case Activation::kMish:
      return visit.template operator()<Activation::kMish>();
    case Activation::kRelu6:
      return visit.template operator()<Activation::kRelu6>();
    case Activation::kReluSquared:
      return visit.template operator()<Activation::kReluSquared>();
    case Activation::kSigmoid:
      return visit.template operator()<Activation::kSigmoid>();
  }
  __builtin_unreachable();
}

/// Applies `activation` in place to y[rows, columns]. A pass of its own over a block that a gemm has just
/// stored: the block lies in the first-level cache, and the gemm's accumulators keep all registers to
/// themselves.
template <class S>
void activate_block(Activation activation, float* y, size_t stride, size_t rows, size_t columns) {
  if (activation == Activation::kNone) return;
  with_activation(activation, [&]<Activation A>() { activate_block_as<S, A>(y, stride, rows, columns); });
}

}  // namespace
}  // namespace enc::kernels
