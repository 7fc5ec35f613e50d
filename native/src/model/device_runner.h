// One thread's queue on a GPU: the portable graph, its weights and activations in the device's memory.
#pragma once

#include <memory>

#include "batch/batch_runner.h"
#include "graph/graph_runner.h"
#include "model/health.h"

namespace enc {

/// A GPU runs a batch in one piece: `should_stop` is asked before it starts, and a fault of the driver,
/// memory excepted, poisons the model.
class DeviceRunner final : public BatchRunner {
 public:
  /// All but the device must outlive the runner.
  DeviceRunner(ggml_backend_dev_t device, const Hparams& hparams, const Weights& weights, const Ops& ops,
               Health& health);

  /// Throws what GraphRunner::run does, GgmlAbort, Error(device_unavailable) for an operation that the device
  /// does not have, and Error(model_poisoned).
  void run(const PackedBatch& batch, const std::function<bool()>& should_stop,
           std::vector<float>& logits) override;

 private:
  void make_runner();
  void compute(const PackedBatch& batch, std::vector<float>& logits);
  void abandon() noexcept;

  ggml_backend_dev_t device_;
  const Hparams& hparams_;
  const Weights& weights_;
  const Ops& ops_;
  Health& health_;
  std::unique_ptr<GraphRunner> runner_;
};

}  // namespace enc
