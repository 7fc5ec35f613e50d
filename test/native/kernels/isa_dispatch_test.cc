// Each word of GGML_ENCODER_MAX_ISA selects what it names, on a machine that has everything.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>

#include "check.h"
#include "enc/cpu_features.h"
#include "enc/error.h"
#include "kernels/kernel_table.h"
#include "runnable.h"

namespace enc::test {
namespace {

using kernels::KernelTable;

/// Of this architecture.
constexpr CpuFeatures kEverything = [] {
  CpuFeatures features;
#ifdef ENC_ARM_KERNELS
  features.neon = features.neon_dotprod = true;
#else
  features.avx2 = features.avx_vnni = features.avx512 = features.avx512_vnni = features.avx512_bf16 = true;
  features.amx_int8 = features.amx_bf16 = true;
#endif
  return features;
}();

#ifdef ENC_ARM_KERNELS
constexpr const char* kWords[] = {"scalar", "neon", "neon_dotprod"};
constexpr const char* kForeignWord = "avx2";
#else
constexpr const char* kWords[] = {"scalar",      "avx2",        "avx_vnni", "avx512",
                                  "avx512_vnni", "avx512_bf16", "amx"};
constexpr const char* kForeignWord = "neon";
#endif

KernelTable table_under(const char* max_isa) {
  return kernels::kernel_table(cap_cpu_features(kEverything, max_isa));
}

TEST(max_isa_caps_every_word) {
  struct Case {
    const char* word;
    const char *f32, *f16, *bf16, *q8_0, *attention;
  };
#ifdef ENC_X86_KERNELS
  const Case cases[] = {
      {"scalar", "scalar", "scalar", "scalar", "scalar", "scalar"},
      {"avx2", "avx2", "avx2", "avx2", "avx2", "avx2"},
      {"avx_vnni", "avx2", "avx2", "avx2", "avx_vnni", "avx2"},
      {"avx512", "avx512", "avx512", "avx512", "avx512", "avx512"},
      {"avx512_vnni", "avx512", "avx512", "avx512", "avx512_vnni", "avx512"},
      {"avx512_bf16", "avx512", "avx512", "avx512_bf16", "avx512_vnni", "avx512"},
      {"amx", "avx512", "avx512", "amx_bf16", "amx_bf16", "avx512"},
  };
#elif defined(ENC_ARM_KERNELS)
  const Case cases[] = {
      {"scalar", "scalar", "scalar", "scalar", "scalar", "scalar"},
      {"neon", "neon", "neon", "neon", "neon", "neon"},
      {"neon_dotprod", "neon", "neon", "neon", "neon_dotprod", "neon"},
  };
#else
  const Case cases[] = {{"scalar", "scalar", "scalar", "scalar", "scalar", "scalar"},
                        {"amx", "scalar", "scalar", "scalar", "scalar", "scalar"}};
#endif
  for (const Case& c : cases) {
    const KernelTable table = table_under(c.word);
    CHECK(table.gemm_f32->name == std::string("gemm_f32_") + c.f32);
    CHECK(table.gemm_f16->name == std::string("gemm_f16_") + c.f16);
    CHECK(table.gemm_bf16->name == std::string("gemm_bf16_") + c.bf16);
    CHECK(table.gemm_q8_0->name == std::string("gemm_q8_0_") + c.q8_0);
    const bool bf16_unit = std::string(c.bf16) == "avx512_bf16" || std::string(c.bf16) == "amx_bf16";
    CHECK(table.attention_varlen_bf16->name ==
          (bf16_unit ? std::string("attention_varlen_bf16_") + c.bf16 : table.attention_varlen->name));
    CHECK(table.attention_varlen->name == std::string("attention_varlen_") + c.attention);
    CHECK(table.add_layer_norm->name == std::string("add_layer_norm_") + c.f32);
    CHECK(table.embed_tokens->name == std::string("embed_tokens_") + c.f32);
    CHECK(table.gate->name == std::string("gate_") + c.f32);
    CHECK(table.gated_delta_net->name == std::string("gated_delta_net_") + c.f32);
    CHECK(table.rotate_heads->name == std::string("rotate_heads_") + c.f32);
    CHECK(table.position_scores->name == std::string("position_scores_") + c.f32);
    CHECK(table.has_bf16_attention() == bf16_unit);
    CHECK(isa_name(cap_cpu_features(kEverything, c.word)) == c.word);
  }
}

#ifdef ENC_X86_KERNELS
TEST(slow_bf16_is_passed_over) {
  CpuFeatures slow = kEverything;
  slow.slow_bf16 = true;
  const KernelTable without_tiles = kernels::kernel_table(cap_cpu_features(slow, "avx512_bf16"));
  CHECK(without_tiles.gemm_bf16->name == std::string("gemm_bf16_avx512"));
  CHECK(without_tiles.attention_varlen_bf16 == without_tiles.attention_varlen);
  CHECK(!without_tiles.has_bf16_attention());
  const KernelTable with_tiles = kernels::kernel_table(slow);
  CHECK(with_tiles.gemm_bf16->name == std::string("gemm_bf16_amx_bf16"));
  CHECK(with_tiles.has_bf16_attention());
}
#endif

TEST(max_isa_only_takes_away) {
  for (const char* word : kWords) {
    CHECK(cap_cpu_features({}, word) == CpuFeatures{});
    CHECK(kernels::kernel_table(cap_cpu_features({}, word)).gemm_f32->name == std::string("gemm_f32_scalar"));
  }
  CHECK(cap_cpu_features(kEverything, "") == kEverything);
  CHECK(cap_cpu_features(kEverything, std::end(kWords)[-1]) == kEverything);
}

TEST(unknown_max_isa_is_an_error) {
  for (const char* word : {"AVX2", "avx", "sse4", "avx512 ", "amx_bf16", "\n", "Neon", "sve", kForeignWord}) {
    CHECK_THROWS_CODE(cap_cpu_features(kEverything, word), ErrorCode::isa_unsupported);
  }
}

TEST(usable_isas_ascend) {
  const auto words = usable_isas(kEverything);
  CHECK(std::equal(words.begin(), words.end(), std::begin(kWords), std::end(kWords)));
  CHECK(usable_isas({}).size() == 1);
  CHECK(isa_name(detect_cpu_features()) == usable_isas(detect_cpu_features()).back());
}

TEST(detected_features_imply_their_base) {
  const CpuFeatures f = detect_cpu_features();
  CHECK(f == detect_cpu_features());
  CHECK(f.avx2 || !(f.avx_vnni || f.avx512));
  CHECK(f.avx512 || !(f.avx512_vnni || f.avx512_bf16 || f.amx_bf16 || f.amx_int8));
  CHECK(f.neon || !f.neon_dotprod);
}

template <class Kernel>
size_t name_runnable() {
  for (const Kernel* kernel : runnable<Kernel>()) std::printf("  %s\n", kernel->name);
  return runnable<Kernel>().size();
}

TEST(kernels_under_test) {
  const size_t count =
      name_runnable<kernels::GemmKernel>() + name_runnable<kernels::AttentionVarlenKernel>() +
      name_runnable<kernels::AddLayerNormKernel>() + name_runnable<kernels::EmbedTokensKernel>() +
      name_runnable<kernels::GateKernel>() + name_runnable<kernels::RotateHeadsKernel>() +
      name_runnable<kernels::PositionScoresKernel>() + name_runnable<kernels::GatedDeltaNetKernel>();
  CHECK(count > 0);  // none: ENC_TEST_KERNELS names what this machine cannot run
}

}  // namespace
}  // namespace enc::test
