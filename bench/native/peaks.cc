#include "peaks.h"

#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/simd/amx_tiles.h"
#endif

namespace enc::bench {
namespace {

using kernels::KernelIsa;

#if defined(__x86_64__)

constexpr int kIterations = 1000000;
constexpr int kChains = 12;  // more than latency times ports on any of these CPUs

template <class Loop>
double best_rate(double operations_per_instruction, Loop loop) {
  double best = 0;
  for (int i = 0; i < 12; i++) {
    const auto begin = std::chrono::steady_clock::now();
    loop();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    const double rate = operations_per_instruction * kChains * kIterations / seconds.count();
    best = rate > best ? rate : best;
  }
  return best;
}

// One instruction on kChains accumulators; the assembly keeps the compiler from folding or vectorizing
// anything away.
#define ENC_CHAINS(Vector, instruction)                                                         \
  Vector a[kChains] = {}, b = {}, c = {};                                                       \
  for (int i = 0; i < kIterations; i++) {                                                       \
    _Pragma("GCC unroll 12") for (int j = 0; j < kChains;                                       \
                                  j++) asm volatile(instruction : "+v"(a[j]) : "v"(b), "v"(c)); \
  }

[[gnu::target("avx2,fma")]] void fma_256() {
  ENC_CHAINS(__m256, "vfmadd231ps %2, %1, %0")
}
[[gnu::target("avx2,avxvnni")]] void int8_256() {
  ENC_CHAINS(__m256i, "%{vex%} vpdpbusd %2, %1, %0")
}
[[gnu::target("avx512f")]] void fma_512() {
  ENC_CHAINS(__m512, "vfmadd231ps %2, %1, %0")
}
[[gnu::target("avx512f,avx512vnni")]] void int8_512() {
  ENC_CHAINS(__m512i, "vpdpbusd %2, %1, %0")
}
[[gnu::target("avx512f,avx512bf16")]] void bf16_512() {
  ENC_CHAINS(__m512, "vdpbf16ps %2, %1, %0")
}

/// Four independent sums, as the gemm has; a tile product is 16 x 16 x 32 multiply-adds.
double amx_bf16_rate() {
  double best = 0;
  for (int i = 0; i < 12; i++) {
    kernels::configure_tiles();
    kernels::tile_zero<0>(), kernels::tile_zero<1>(), kernels::tile_zero<2>(), kernels::tile_zero<3>();
    kernels::tile_zero<4>(), kernels::tile_zero<5>(), kernels::tile_zero<6>(), kernels::tile_zero<7>();
    const auto begin = std::chrono::steady_clock::now();
    for (int j = 0; j < kIterations / 10; j++) {
      kernels::tile_dot_bf16<0, 4, 6>();
      kernels::tile_dot_bf16<1, 4, 7>();
      kernels::tile_dot_bf16<2, 5, 6>();
      kernels::tile_dot_bf16<3, 5, 7>();
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    const double rate = 2.0 * 16 * 16 * 32 * 4 * (kIterations / 10) / seconds.count();
    best = rate > best ? rate : best;
  }
  return best;
}

#endif

}  // namespace

double measured_peak(KernelIsa isa) {
#if defined(__x86_64__)
  static const double avx2 = best_rate(16, fma_256);
  switch (isa) {
    case KernelIsa::avx2:
      return avx2;
    case KernelIsa::avx512: {
      static const double avx512 = best_rate(32, fma_512);
      return avx512;
    }
    case KernelIsa::avx_vnni: {
      static const double avx_vnni = best_rate(64, int8_256);
      return avx_vnni;
    }
    case KernelIsa::avx512_vnni: {
      static const double avx512_vnni = best_rate(128, int8_512);
      return avx512_vnni;
    }
    case KernelIsa::avx512_bf16: {
      static const double avx512_bf16 = best_rate(64, bf16_512);
      return avx512_bf16;
    }
    case KernelIsa::amx_bf16: {
      static const double amx_bf16 = amx_bf16_rate();
      return amx_bf16;
    }
    case KernelIsa::scalar:
      return 0;
  }
#endif
  (void)isa;
  return 0;
}

}  // namespace enc::bench
