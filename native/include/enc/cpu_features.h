// What this CPU and its operating system let us execute, and the cap that GGML_ENCODER_MAX_ISA puts on it.
#pragma once

#include <string_view>
#include <vector>

namespace enc {

/// Instruction sets that the kernels tell apart. A member but slow_bf16 is true only when the CPU has it and
/// the operating system saves its registers. Each member stands for a group: avx2 is AVX2+FMA+F16C+BMI,
/// avx512 is F+BW+CD+DQ+VL. Those of the other architecture are false.
struct CpuFeatures {
  bool avx2 = false;
  bool avx_vnni = false;  ///< 256-bit int8 dot products, VEX encoded
  bool avx512 = false;
  bool avx512_vnni = false;  ///< 512-bit int8 dot products
  bool avx512_bf16 = false;  ///< 512-bit bf16 dot products
  bool slow_bf16 = false;    ///< whether those take longer than the same in f32, as on every Intel CPU
  bool amx_int8 = false;
  bool amx_bf16 = false;
  bool neon = false;          ///< 128-bit vectors of 64-bit ARM, part of its baseline
  bool neon_dotprod = false;  ///< 128-bit int8 dot products

  bool operator==(const CpuFeatures&) const = default;
};

/// On x86-64 asks CPUID and XCR0, and the kernel for permission to use AMX tiles (once per process; the
/// answer is checked by reading the permission back); on 64-bit ARM what Linux says of the CPU, and what
/// every Mac has. All false elsewhere. Thread-safe.
CpuFeatures detect_cpu_features() noexcept;

/// `features` without what lies above `max_isa`: on x86-64 one of scalar, avx2, avx_vnni, avx512,
/// avx512_vnni, avx512_bf16, amx, on 64-bit ARM one of scalar, neon, neon_dotprod. The words ascend in that
/// order, and `avx512` alone leaves avx_vnni out as well, so that each word names what runs. An empty word
/// caps nothing. Throws Error(isa_unsupported) on any other word. Pure.
CpuFeatures cap_cpu_features(CpuFeatures features, std::string_view max_isa);

/// The features that the process uses: detected, capped by the environment variable GGML_ENCODER_MAX_ISA.
/// Read once. Throws Error(isa_unsupported) when the variable holds an unknown word.
const CpuFeatures& cpu_features();

/// The words of `cap_cpu_features` that `features` can honour, ascending, "scalar" first.
std::vector<std::string_view> usable_isas(const CpuFeatures& features);

/// The last of `usable_isas`: "scalar" up to "amx" or "neon_dotprod".
std::string_view isa_name(const CpuFeatures& features);

}  // namespace enc
