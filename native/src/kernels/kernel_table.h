// The kernels that a CPU will run, one per op, picked from kernels.inc.
#pragma once

#include "enc/cpu_features.h"
#include "kernels/add_layer_norm/add_layer_norm.h"
#include "kernels/attention_varlen/attention_varlen.h"
#include "kernels/embed_tokens/embed_tokens.h"
#include "kernels/gate/gate.h"
#include "kernels/gated_delta_net/gated_delta_net.h"
#include "kernels/gemm/gemm.h"
#include "kernels/position_scores/position_scores.h"
#include "kernels/rotate_heads/rotate_heads.h"

namespace enc::kernels {

/// The instruction set that a variant's file is compiled for; the word in its name.
enum class KernelIsa : uint8_t {
  scalar,
  avx2,
  avx_vnni,
  avx512,
  avx512_vnni,
  avx512_bf16,
  amx_bf16,
  neon,
  neon_dotprod
};

/// True when every instruction of a variant for `isa` may run under `features`.
bool can_run(KernelIsa isa, const CpuFeatures& features) noexcept;

/// Never a null pointer: each op has a scalar variant or a stand-in. A kernel's `name` ends in its ISA.
struct KernelTable {
  const GemmKernel* gemm_f32 = nullptr;
  const GemmKernel* gemm_f16 = nullptr;
  const GemmKernel* gemm_bf16 = nullptr;
  const GemmKernel* gemm_q8_0 = nullptr;
  const AddLayerNormKernel* add_layer_norm = nullptr;
  const EmbedTokensKernel* embed_tokens = nullptr;
  const GateKernel* gate = nullptr;
  const GatedDeltaNetKernel* gated_delta_net = nullptr;
  const RotateHeadsKernel* rotate_heads = nullptr;
  const PositionScoresKernel* position_scores = nullptr;
  const AttentionVarlenKernel* attention_varlen = nullptr;       ///< f32 arithmetic
  const AttentionVarlenKernel* attention_varlen_bf16 = nullptr;  ///< operands rounded to bf16 where that is
                                                                 ///< faster, else the f32 kernel: for models
                                                                 ///< whose products are in bf16 or int8

  /// True when attention_varlen_bf16 is a kernel of its own.
  bool has_bf16_attention() const noexcept { return attention_varlen_bf16 != attention_varlen; }

  /// The gemm for weights that the file stores as `type`.
  const GemmKernel& gemm(WeightType type) const noexcept;
};

/// The fastest kernels under `features`. Pure.
KernelTable kernel_table(const CpuFeatures& features) noexcept;

/// The table for cpu_features(), made once. Throws what cpu_features() throws.
const KernelTable& kernel_table();

}  // namespace enc::kernels
