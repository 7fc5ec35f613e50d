// The oracle of every gemm and the fallback on all other CPUs: rows as the file stores them, one f32 chain
// over k. bf16 weights multiply x rounded to bf16, the arithmetic that bf16 units have; products of two bf16
// are exact in f32.
#include "kernels/gemm/activation_reference.h"
#include "kernels/gemm/stored_weight.h"

namespace enc::kernels {
namespace {

constexpr size_t kPanelColumns = 16;

template <WeightType Type>
size_t packed_bytes(size_t n, size_t k) noexcept {
  return (n * weight_row_bytes(Type, k) + 63) / 64 * 64;
}

template <WeightType Type>
void pack(const void* rows, size_t row_begin, size_t row_count, size_t, size_t k, void* packed) noexcept {
  const size_t row_bytes = weight_row_bytes(Type, k);
  std::memcpy(static_cast<unsigned char*>(packed) + row_begin * row_bytes, rows, row_count * row_bytes);
}

size_t no_scratch(size_t, size_t) noexcept {
  return 0;
}

template <WeightType Type>
void run(const GemmArgs& a) noexcept {
  const size_t row_bytes = weight_row_bytes(Type, a.k);
  const size_t panels = (a.n + kPanelColumns - 1) / kPanelColumns;
  const size_t end = a.panel_end < panels ? a.panel_end * kPanelColumns : a.n;
  for (size_t row = 0; row < a.m; row++) {
    const float* x = a.x + row * a.x_stride;
    for (size_t column = a.panel_begin * kPanelColumns; column < end; column++) {
      const auto* w = static_cast<const unsigned char*>(a.packed) + column * row_bytes;
      float sum = 0;
      for (size_t i = 0; i < a.k; i++) {
        const float value = Type == WeightType::kBf16 ? bf16_to_f32(f32_to_bf16(x[i])) : x[i];
        sum += value * stored_weight(Type, w, i);
      }
      if (a.bias) sum += a.bias[column];
      a.y[row * a.y_stride + column] = static_cast<float>(activation_reference(a.activation, sum));
    }
  }
}

template <WeightType Type>
constexpr GemmKernel kernel(const char* name) {
  return {name, Type, kPanelColumns, packed_bytes<Type>, pack<Type>, no_scratch, nullptr, nullptr, run<Type>};
}

}  // namespace

extern const GemmKernel gemm_f32_scalar, gemm_f16_scalar, gemm_bf16_scalar, gemm_q8_0_scalar;
const GemmKernel gemm_f32_scalar = kernel<WeightType::kF32>("gemm_f32_scalar");
const GemmKernel gemm_f16_scalar = kernel<WeightType::kF16>("gemm_f16_scalar");
const GemmKernel gemm_bf16_scalar = kernel<WeightType::kBf16>("gemm_bf16_scalar");
const GemmKernel gemm_q8_0_scalar = kernel<WeightType::kQ8_0>("gemm_q8_0_scalar");

}  // namespace enc::kernels
