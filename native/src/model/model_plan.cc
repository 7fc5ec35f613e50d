#include "model/model_plan.h"

#include <algorithm>

#include "backends/cpu/kernel_ops.h"
#include "backends/dynamic/gpu_backends.h"
#include "enc/cpu_features.h"
#include "enc/device.h"
#include "enc/error.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "graph/graph_runner.h"
#include "graph/portable_ops.h"
#include "support/ggml_guard.h"
#include "support/memory_budget.h"

namespace enc {
namespace {

constexpr int kMaxThreads = 64;
/// On a GPU, one thread computes while the other tokenizes the next batch.
constexpr int kGpuThreads = 2;

/// Our kernels where there are any for this processor; null for the portable graph.
const kernels::KernelTable* choose_kernels(KernelChoice choice) {
#if defined(ENC_X86_KERNELS) || defined(ENC_ARM_KERNELS)
  if (choice == KernelChoice::kAuto) return &kernels::kernel_table();
#endif
  (void)choice;
  return nullptr;
}

std::unique_ptr<Ops> make_ops(const kernels::KernelTable* table, const Weights& weights) {
  if (table == nullptr) return std::make_unique<PortableOps>();
  return std::make_unique<KernelOps>(*table, weights.compute_type != "f32");
}

/// Texts of fewer tokens take no more than those of so many.
constexpr size_t kShortLength = 512;

/// Tokens for each label or document, in inputs that hold them and are only measured.
constexpr size_t kTokensPerLabel = 8;

/// As many inputs of `length` tokens as go through the graph at once.
PackedBatch full_batch(size_t length, size_t max_tokens, const Hparams& hparams) {
  const size_t count = std::max<size_t>(1, max_tokens / length);
  PackedBatch batch;
  batch.ids.resize(count * length, 0);
  batch.type_ids.resize(count * length, 0);
  batch.cu_seqlens.push_back(0);
  for (size_t b = 0; b < count; b++) {
    for (size_t p = 0; p < length; p++) batch.positions.push_back(int32_t(p));
    const size_t step = hparams.pooling == Pooling::kTokens ? 1 : kTokensPerLabel;
    for (size_t p = 0; hparams.reads_marks() && p < length; p += step) {
      const size_t read = hparams.label_head.exists() ? kTokensPerLabel : 1;
      batch.marks.push_back(int32_t(b * length + p));
      batch.mark_ends.push_back(int32_t(b * length + std::min(p + read, length)));
      batch.mark_owners.push_back(int32_t(b));
    }
    batch.cu_seqlens.push_back(int32_t(batch.positions.size()));
    if (hparams.pooling != Pooling::kText) continue;
    batch.texts.push_back(int32_t(b * length));
    batch.text_ends.push_back(batch.cu_seqlens.back());
  }
  return batch;
}

/// A device that does not say how much memory it has is taken to have enough: it will say when it is full.
uint64_t device_memory_left(ggml_backend_dev_t gpu) {
  size_t free_bytes = 0, total_bytes = 0;
  ggml_backend_dev_memory(gpu, &free_bytes, &total_bytes);
  return total_bytes == 0 ? UINT64_MAX : free_bytes;
}

std::string mebibytes(uint64_t bytes) {
  return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MiB";
}

}  // namespace

uint64_t memory_left(const FileLimits& limits, uint64_t held) {
  if (limits.memory_bytes == 0) return memory_allowance(available_memory());
  return limits.memory_bytes - std::min(limits.memory_bytes, held);
}

void require_cpu() {
#ifdef ENC_X86_KERNELS
  if (!detect_cpu_features().avx2) {
    throw Error(ErrorCode::isa_unsupported,
                "this CPU lacks AVX2, FMA or F16C, which ggml-encoder needs on x86");
  }
#endif
}

ggml_backend_buffer_type_t weight_buffer_type(ggml_backend_dev_t gpu) {
  return gpu == nullptr ? ggml_backend_cpu_buffer_type() : ggml_backend_dev_buffer_type(gpu);
}

ModelPlan::ModelPlan(const std::string& path, const LoadOptions& load_options)
    : options(load_options),
      file(std::make_unique<GgufFile>(path, options.limits)),
      hparams(read_hparams(*file)),
      gpu(find_gpu(options.device)),
      table(gpu == nullptr ? choose_kernels(options.kernels) : nullptr),
      declared(declare_weights(*file, hparams, weight_buffer_type(gpu), table)),
      ops(make_ops(table, declared.weights)) {}

MemoryEstimate ModelPlan::estimate(int threads, size_t length) {
  ggml_backend_t backend = gpu == nullptr ? ggml_backend_cpu_init() : ggml_backend_dev_init(gpu, nullptr);
  if (backend == nullptr)
    throw Error(ErrorCode::out_of_memory, "no memory for a backend of device '" + options.device + "'");
  GraphRunner runner(backend, hparams, declared.weights, *ops, nullptr,
                     gpu == nullptr ? AttentionPadding::kNone : AttentionPadding::kSimilarLengths);
  // The allocator counts what has no data yet; weights have their bytes counted already.
  ggml_context* context = declared.weights.context.get();
  const auto mark = [context](void* data) {
    for (ggml_tensor* t = ggml_get_first_tensor(context); t != nullptr; t = ggml_get_next_tensor(context, t))
      t->data = data;
  };
  mark(&runner);
  MemoryEstimate result;
  // The portable graph attends to the longest texts in more blocks, so that shorter ones may take more.
  for (size_t tokens = length; tokens == length || (table == nullptr && tokens >= kShortLength);
       tokens /= 2) {
    const PackedBatch batch = full_batch(tokens, max_batch_tokens(), hparams);
    result.thread_bytes =
        std::max(result.thread_bytes, runner.measure(batch, table == nullptr ? 1 : threads));
  }
  // Its states are as many as a batch has texts.
  if (table == nullptr && hparams.linear_attention.exists()) {
    const PackedBatch batch = full_batch(1, max_batch_tokens(), hparams);
    result.thread_bytes = std::max(result.thread_bytes, runner.measure(batch, 1));
  }
  mark(nullptr);
  result.threads = threads;
  result.weight_bytes = declared.weights.size_bytes;
  result.total_bytes = result.weight_bytes + uint64_t(threads) * result.thread_bytes;
  result.available_bytes = gpu == nullptr ? memory_left(options.limits, 0) : device_memory_left(gpu);
  return result;
}

int ModelPlan::wanted_threads() const {
  const int threads = gpu == nullptr ? default_threads() : kGpuThreads;
  return std::min(options.threads > 0 ? options.threads : threads, kMaxThreads);
}

int ModelPlan::admit() {
  const size_t length = std::min<size_t>(max_batch_tokens(), hparams.max_length);
  int threads = wanted_threads();
  MemoryEstimate needed = estimate(threads, length);
  while (options.threads == 0 && threads > 1 && needed.total_bytes > needed.available_bytes)
    needed = estimate(--threads, length);
  if (needed.total_bytes <= needed.available_bytes) return threads;
  throw Error(ErrorCode::out_of_memory,
              "'" + file->path() + "' takes " + mebibytes(needed.weight_bytes) + " for its weights and " +
                  mebibytes(needed.thread_bytes) + " for each of " + std::to_string(threads) +
                  " threads, and " + mebibytes(needed.available_bytes) +
                  (gpu != nullptr                    ? " are free on the device"
                   : options.limits.memory_bytes > 0 ? " are allowed by the limit memoryBytes"
                                                     : " may be taken of what is left"));
}

}  // namespace enc
