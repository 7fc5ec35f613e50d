// One inference thread's CPU backend and graph, and what becomes of them when ggml fails in the middle.
#pragma once

#include <memory>

#include "batch/batch_runner.h"
#include "graph/graph_runner.h"
#include "model/health.h"
#include "support/team.h"

namespace enc {

/// Nothing that ggml was interrupted in is used or freed again: after a failed allocation the thread makes
/// itself new ggml objects, after a failed assertion the model is poisoned.
class CpuRunner final : public BatchRunner {
 public:
  /// All but the lease must outlive the runner. `memory_left` says how many bytes may still be taken; it is
  /// asked before batches that are larger than any so far and than `admitted_tokens`, which loading has seen
  /// to.
  CpuRunner(const Hparams& hparams, const Weights& weights, const Ops& ops, TeamLease team, Health& health,
            size_t admitted_tokens, std::function<uint64_t()> memory_left);
  ~CpuRunner() override;

  /// Throws, beside what GraphRunner::run does, GgmlAbort, Error(out_of_memory) and Error(model_poisoned).
  void run(const PackedBatch& batch, const std::function<bool()>& should_stop,
           std::vector<float>& logits) override;

 private:
  void make_runner();
  void admit(const PackedBatch& batch);
  void abandon() noexcept;

  const Hparams& hparams_;
  const Weights& weights_;
  const Ops& ops_;
  TeamLease team_;
  Health& health_;
  const std::function<uint64_t()> memory_left_;
  int64_t admitted_tokens_;
  ggml_backend_t backend_ = nullptr;  // owned by runner_
  std::unique_ptr<GraphRunner> runner_;
};

}  // namespace enc
