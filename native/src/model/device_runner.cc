#include "model/device_runner.h"

#include <exception>
#include <new>
#include <string>

#include "enc/error.h"
#include "support/ggml_guard.h"

namespace enc {

DeviceRunner::DeviceRunner(ggml_backend_dev_t device, const Hparams& hparams, const Weights& weights,
                           const Ops& ops, Health& health)
    : device_(device), hparams_(hparams), weights_(weights), ops_(ops), health_(health) {
  const GgmlGuard guard;
  make_runner();
}

void DeviceRunner::make_runner() {
  ggml_backend_t backend = ggml_backend_dev_init(device_, nullptr);
  if (backend == nullptr) {
    throw Error(ErrorCode::device_unavailable,
                std::string(ggml_backend_dev_description(device_)) + " did not start: " + ggml_errors());
  }
  runner_ = std::make_unique<GraphRunner>(backend, hparams_, weights_, ops_, nullptr,
                                          AttentionPadding::kSimilarLengths);
}

/// Where other backends abort, Vulkan's throws exceptions of its own.
void DeviceRunner::compute(const PackedBatch& batch, std::vector<float>& logits) {
  try {
    runner_->run(batch, logits);
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& fault) {
    throw GgmlAbort(fault.what());
  }
}

void DeviceRunner::run(const PackedBatch& batch, const std::function<bool()>& should_stop,
                       std::vector<float>& logits) {
  health_.require();
  if (should_stop()) throw Error(ErrorCode::aborted, "the call was aborted");
  const GgmlGuard guard;
  if (!runner_) make_runner();
  try {
    compute(batch, logits);
  } catch (const GgmlAbort& fault) {
    if (fault.code() != ErrorCode::out_of_memory) health_.poison();
    abandon();
    throw;
  } catch (const std::bad_alloc&) {
    abandon();
    throw;
  }
}

/// In an unknown state: neither used nor freed again.
void DeviceRunner::abandon() noexcept {
  (void)runner_.release();
  health_.count_abandoned();
}

}  // namespace enc
