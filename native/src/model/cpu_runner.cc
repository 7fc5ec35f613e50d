#include "model/cpu_runner.h"

#include <algorithm>
#include <new>
#include <string>

#include "enc/error.h"
#include "ggml-cpu.h"
#include "support/ggml_guard.h"

namespace enc {

CpuRunner::CpuRunner(const Hparams& hparams, const Weights& weights, const Ops& ops, TeamLease team,
                     Health& health, size_t admitted_tokens, std::function<uint64_t()> memory_left)
    : hparams_(hparams),
      weights_(weights),
      ops_(ops),
      team_(team),
      health_(health),
      memory_left_(std::move(memory_left)),
      admitted_tokens_(int64_t(admitted_tokens)) {
  const GgmlGuard guard;
  make_runner();
}

CpuRunner::~CpuRunner() = default;

void CpuRunner::make_runner() {
  backend_ = ggml_backend_cpu_init();
  if (backend_ == nullptr) throw Error(ErrorCode::out_of_memory, "no memory for a CPU backend");
  ggml_backend_cpu_set_n_threads(backend_, 1);
  runner_ =
      std::make_unique<GraphRunner>(backend_, hparams_, weights_, ops_, team_.size() > 1 ? &team_ : nullptr);
}

void CpuRunner::admit(const PackedBatch& batch) {
  int64_t tokens = batch.num_tokens();
  for (const Remembered& before : batch.remembered)
    tokens = std::max(tokens, batch.num_tokens() + int64_t(before.tokens));
  if (tokens <= admitted_tokens_) return;
  const uint64_t needed = runner_->measure(batch, team_.size());
  const uint64_t held = runner_->held_bytes();
  const uint64_t left = memory_left_();
  if (needed > held && needed - held > left) {
    throw Error(ErrorCode::out_of_memory, "an input of " + std::to_string(tokens) + " tokens takes " +
                                              std::to_string(needed - held) +
                                              " bytes more than is held, and " + std::to_string(left) +
                                              " may be taken; set a lower maxLength");
  }
  admitted_tokens_ = tokens;
}

void CpuRunner::abandon() noexcept {
  (void)runner_.release();
  health_.count_abandoned();
}

void CpuRunner::run(const PackedBatch& batch, const std::function<bool()>& should_stop,
                    std::vector<float>& logits) {
  health_.require();
  const GgmlGuard guard;
  if (!runner_) make_runner();
  const auto poll = [](void* stop) { return (*static_cast<const std::function<bool()>*>(stop))(); };
  ggml_backend_cpu_set_abort_callback(backend_, poll, const_cast<std::function<bool()>*>(&should_stop));
  try {
    admit(batch);
    runner_->run(batch, logits);
  } catch (const GgmlAbort& fault) {
    if (fault.code() != ErrorCode::out_of_memory) health_.poison();
    abandon();
    throw;
  } catch (const std::bad_alloc&) {
    abandon();
    throw Error(ErrorCode::out_of_memory,
                "no memory to compute " + std::to_string(batch.num_tokens()) + " tokens at once");
  }
}

}  // namespace enc
