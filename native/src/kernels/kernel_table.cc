#include "kernels/kernel_table.h"

#include "kernels/kernel_declarations.h"

namespace enc::kernels {

bool can_run(KernelIsa isa, const CpuFeatures& features) noexcept {
  switch (isa) {
    case KernelIsa::scalar:
      return true;
    case KernelIsa::avx2:
      return features.avx2;
    case KernelIsa::avx_vnni:
      return features.avx_vnni;
    case KernelIsa::avx512:
      return features.avx512;
    case KernelIsa::avx512_vnni:
      return features.avx512_vnni;
    case KernelIsa::avx512_bf16:
      return features.avx512_bf16;
    case KernelIsa::amx_bf16:
      return features.amx_bf16;
    case KernelIsa::neon:
      return features.neon;
    case KernelIsa::neon_dotprod:
      return features.neon_dotprod;
  }
  return false;
}

const GemmKernel& KernelTable::gemm(WeightType type) const noexcept {
  switch (type) {
    case WeightType::kF32:
      break;
    case WeightType::kF16:
      return *gemm_f16;
    case WeightType::kBf16:
      return *gemm_bf16;
    case WeightType::kQ8_0:
      return *gemm_q8_0;
  }
  return *gemm_f32;
}

namespace {

/// Intel's VDPBF16PS does half the work per cycle of a multiply-add in f32 (Granite Rapids, one core: 110 and
/// 220 GFLOP/s in registers, products of 128 rows at n = k = 768 100 and 165), so that there the kernels
/// before it are faster, and as exact.
bool pays(KernelIsa isa, const CpuFeatures& features) {
  return isa != KernelIsa::avx512_bf16 || !features.slow_bf16;
}

}  // namespace

KernelTable kernel_table(const CpuFeatures& features) noexcept {
  KernelTable table;
#define KERNEL(op, isa) \
  if (can_run(KernelIsa::isa, features) && pays(KernelIsa::isa, features)) table.op = &op##_##isa;
#include "kernels/kernels.inc"
#undef KERNEL
  if (!table.attention_varlen_bf16) table.attention_varlen_bf16 = table.attention_varlen;
  return table;
}

const KernelTable& kernel_table() {
  static const KernelTable table = kernel_table(cpu_features());
  return table;
}

}  // namespace enc::kernels
