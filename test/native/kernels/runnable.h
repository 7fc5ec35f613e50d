// The variants of an op that this machine can run, read from kernels.inc.
#pragma once

#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernels/kernel_declarations.h"

/// The AMX kernels, compiled a second time over software tiles (see kernels/simd/amx_tiles.h).
#define ENC_EMULATED_KERNELS(X)     \
  X(GemmKernel, gemm_bf16_amx_bf16) \
  X(GemmKernel, gemm_q8_0_amx_bf16) \
  X(AttentionVarlenKernel, attention_varlen_bf16_amx_bf16)

namespace enc::kernels {
#define ENC_EMULATED(type, name) extern const type name##_emulated;
ENC_EMULATED_KERNELS(ENC_EMULATED)
#undef ENC_EMULATED
}  // namespace enc::kernels

namespace enc::test {

/// With ENC_TEST_KERNELS set, only variants whose name contains it: an emulated CPU takes hours for all.
inline bool is_wanted(const char* name) {
  const char* part = std::getenv("ENC_TEST_KERNELS");
  return part == nullptr || std::strstr(name, part) != nullptr;
}

template <class Kernel, class Other>
void add_if_same(std::vector<const Kernel*>& list, const Other& kernel) {
  if constexpr (std::is_same_v<Kernel, Other>) {
    if (is_wanted(kernel.name)) list.push_back(&kernel);
  }
}

/// The variants of an op that this machine can run, AMX ones in software where the tiles cannot be had.
template <class Kernel>
std::vector<const Kernel*> runnable() {
  const CpuFeatures features = detect_cpu_features();
  std::vector<const Kernel*> list;
#define KERNEL(op, isa) \
  if (kernels::can_run(kernels::KernelIsa::isa, features)) add_if_same<Kernel>(list, kernels::op##_##isa);
#include "kernels/kernels.inc"
#undef KERNEL
#ifdef ENC_X86_KERNELS
  if (features.avx512_bf16 && !features.amx_bf16) {
#define ENC_EMULATED(type, name) add_if_same<Kernel>(list, kernels::name##_emulated);
    ENC_EMULATED_KERNELS(ENC_EMULATED)
#undef ENC_EMULATED
  }
#endif
  return list;
}

}  // namespace enc::test
