// A model as its file describes it, checked and ready to be loaded: what it will be is known, nothing large
// is in memory yet.
#pragma once

#include <memory>
#include <string>

#include "graph/ops.h"
#include "model/gguf_file.h"
#include "model/hparams.h"
#include "model/weights.h"

namespace enc {

/// Tokens computed together: enough rows to feed the matrix products, few enough that activations stay near
/// the cache.
constexpr size_t kMaxBatchTokens = 512;
/// Where texts share what they have in common: so that it is not computed for a few of them.
constexpr size_t kMaxPrefixBatchTokens = 1024;

/// A GPU wants many rows. Not measured yet.
constexpr size_t kMaxGpuBatchTokens = 8192;

struct ModelPlan {
  /// Opens and checks the file. Throws as Model::load does.
  ModelPlan(const std::string& path, const LoadOptions& options);

  /// What the model takes with `threads` threads for inputs of up to `length` tokens. Throws
  /// Error(out_of_memory).
  MemoryEstimate estimate(int threads, size_t length);

  /// The threads to load with: the number asked for, or as many as there are cores and memory for, the
  /// device's where that is not the CPU. Throws Error(out_of_memory) with the numbers when even one does not
  /// fit.
  int admit();

  /// The threads that would run if memory were no matter.
  int wanted_threads() const;
  /// Only our kernels know prefixes.
  bool shares_prefixes() const { return table != nullptr && hparams.shares_prefixes(); }
  size_t max_batch_tokens() const {
    if (gpu != nullptr) return kMaxGpuBatchTokens;
    return shares_prefixes() ? kMaxPrefixBatchTokens : kMaxBatchTokens;
  }

  const LoadOptions options;
  std::unique_ptr<GgufFile> file;
  const Hparams hparams;
  const ggml_backend_dev_t gpu;             ///< null: the CPU
  const kernels::KernelTable* const table;  ///< null: the portable graph
  DeclaredWeights declared;
  std::unique_ptr<const Ops> ops;
};

/// Bytes that may be taken beside `held`, which the model holds already: what limits.memory_bytes leaves, or
/// what the machine and its container do.
uint64_t memory_left(const FileLimits& limits, uint64_t held);

/// Throws Error(isa_unsupported).
void require_cpu();

/// Where the weights lie.
ggml_backend_buffer_type_t weight_buffer_type(ggml_backend_dev_t gpu);

}  // namespace enc
