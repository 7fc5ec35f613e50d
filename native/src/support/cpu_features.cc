// CPUID leaf numbers and bits: Intel SDM volume 2A, "CPUID"; XCR0: volume 1, chapter 13; AMX permission:
// Linux Documentation/arch/x86/xstate.rst; ARM: Linux Documentation/arch/arm64/elf_hwcaps.rst.
#include "enc/cpu_features.h"

#include <cstdint>
#include <iterator>
#include <string>

#include "enc/error.h"
#include "support/environment.h"

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace enc {
namespace {

#if defined(__x86_64__)

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);  // leaves zeros when the leaf is absent
  return r;
}

bool bit(uint32_t word, int index) {
  return (word >> index) & 1u;
}

// The register state that the operating system saves. Inline assembly, since the intrinsic needs -mxsave.
uint64_t read_xcr0() {
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

bool is_intel() {
  const Registers vendor = cpuid(0, 0);
  constexpr uint32_t kGenu = 0x756e6547, kIneI = 0x49656e69, kNtel = 0x6c65746e;  // "GenuineIntel"
  return vendor.ebx == kGenu && vendor.edx == kIneI && vendor.ecx == kNtel;
}

bool request_amx_permission() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr int kGetPermission = 0x1022, kRequestPermission = 0x1023, kTileData = 18;
  static const bool granted = [] {
    syscall(SYS_arch_prctl, kRequestPermission, kTileData);
    uint64_t permitted = 0;
    return syscall(SYS_arch_prctl, kGetPermission, &permitted) == 0 && ((permitted >> kTileData) & 1);
  }();
  return granted;
#else
  return false;
#endif
}

CpuFeatures detect() {
  CpuFeatures features;
  const Registers leaf1 = cpuid(1, 0);
  const bool osxsave = bit(leaf1.ecx, 27), avx = bit(leaf1.ecx, 28);
  if (!osxsave || !avx) return features;
  constexpr uint64_t kAvxState = 0x6, kAvx512State = 0xe6, kTileState = 0x60000;
  const uint64_t xcr0 = read_xcr0();
  if ((xcr0 & kAvxState) != kAvxState) return features;

  const Registers leaf7 = cpuid(7, 0), leaf7_1 = cpuid(7, 1);
  const bool fma = bit(leaf1.ecx, 12), f16c = bit(leaf1.ecx, 29);
  features.avx2 = bit(leaf7.ebx, 5) && fma && f16c && bit(leaf7.ebx, 3) && bit(leaf7.ebx, 8);
  if (!features.avx2) return features;
  features.avx_vnni = bit(leaf7_1.eax, 4);

  const bool f = bit(leaf7.ebx, 16), dq = bit(leaf7.ebx, 17), cd = bit(leaf7.ebx, 28),
             bw = bit(leaf7.ebx, 30), vl = bit(leaf7.ebx, 31);
  features.avx512 = f && dq && cd && bw && vl && (xcr0 & kAvx512State) == kAvx512State;
  if (!features.avx512) return features;
  features.avx512_vnni = bit(leaf7.ecx, 11);
  features.avx512_bf16 = bit(leaf7_1.eax, 5);
  features.slow_bf16 = features.avx512_bf16 && is_intel();

  const bool tiles = bit(leaf7.edx, 24) && (xcr0 & kTileState) == kTileState;
  const bool amx_bf16 = bit(leaf7.edx, 22), amx_int8 = bit(leaf7.edx, 25);
  // The AMX kernels use the other AVX-512 groups around their tiles.
  if (tiles && (amx_bf16 || amx_int8) && features.avx512_vnni && features.avx512_bf16 &&
      request_amx_permission()) {
    features.amx_bf16 = amx_bf16;
    features.amx_int8 = amx_int8;
  }
  return features;
}

#elif defined(__aarch64__)

CpuFeatures detect() {
  CpuFeatures features;
  features.neon = true;
#if defined(__linux__)
  constexpr unsigned long kDotProducts = 1ul << 20;  // HWCAP_ASIMDDP, which the headers of old systems lack
  features.neon_dotprod = (getauxval(AT_HWCAP) & kDotProducts) != 0;
#elif defined(__APPLE__)
  features.neon_dotprod = true;  // every Mac of this architecture
#endif
  return features;
}

#else

CpuFeatures detect() {
  return {};
}

#endif

/// A word of GGML_ENCODER_MAX_ISA and the features that it names; "scalar" names none.
struct Isa {
  std::string_view word;
  bool CpuFeatures::*features[2];
};

/// Of this architecture, ascending.
constexpr Isa kIsas[] = {
    {"scalar", {}},
#if defined(__aarch64__)
    {"neon", {&CpuFeatures::neon}},
    {"neon_dotprod", {&CpuFeatures::neon_dotprod}},
#else
    {"avx2", {&CpuFeatures::avx2}},
    {"avx_vnni", {&CpuFeatures::avx_vnni}},
    {"avx512", {&CpuFeatures::avx512}},
    {"avx512_vnni", {&CpuFeatures::avx512_vnni}},
    {"avx512_bf16", {&CpuFeatures::avx512_bf16}},
    {"amx", {&CpuFeatures::amx_bf16, &CpuFeatures::amx_int8}},
#endif
};

bool can_honour(const CpuFeatures& features, const Isa& isa) {
  bool found = isa.features[0] == nullptr;
  for (bool CpuFeatures::*feature : isa.features) found |= feature != nullptr && features.*feature;
  return found;
}

void take_away(CpuFeatures& features, const Isa& isa) {
  for (bool CpuFeatures::*feature : isa.features) {
    if (feature != nullptr) features.*feature = false;
  }
}

}  // namespace

CpuFeatures detect_cpu_features() noexcept {
  return detect();
}

CpuFeatures cap_cpu_features(CpuFeatures features, std::string_view max_isa) {
  if (max_isa.empty()) return features;
  size_t level = 0;
  while (level < std::size(kIsas) && kIsas[level].word != max_isa) level++;
  if (level == std::size(kIsas)) {
    std::string known;
    for (const Isa& isa : kIsas) known.append(known.empty() ? "" : ", ").append(isa.word);
    throw Error(ErrorCode::isa_unsupported,
                "GGML_ENCODER_MAX_ISA is \"" + std::string(max_isa) +
                    "\", which is no instruction set known here; set it to one of " + known +
                    ", or unset it");
  }
  for (size_t above = level + 1; above < std::size(kIsas); above++) take_away(features, kIsas[above]);
  if (max_isa == "avx512") features.avx_vnni = false;
  return features;
}

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = [] {
    return cap_cpu_features(detect_cpu_features(), environment_variable("GGML_ENCODER_MAX_ISA").value_or(""));
  }();
  return features;
}

std::vector<std::string_view> usable_isas(const CpuFeatures& features) {
  std::vector<std::string_view> words;
  for (const Isa& isa : kIsas) {
    if (can_honour(features, isa)) words.push_back(isa.word);
  }
  return words;
}

std::string_view isa_name(const CpuFeatures& features) {
  return usable_isas(features).back();
}

}  // namespace enc
