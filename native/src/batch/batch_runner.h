// What computes packed batches, on whatever device.
#pragma once

#include <functional>
#include <vector>

#include "enc/batch.h"

namespace enc {

/// Computes packed batches on one thread.
class BatchRunner {
 public:
  virtual ~BatchRunner() = default;
  /// Appends f32 [B, num_labels] to `logits`, or where the batch has marks a logit or a vector for each.
  /// `should_stop` may be polled between operations; when it says true the run may end early with
  /// Error(aborted).
  virtual void run(const PackedBatch& batch, const std::function<bool()>& should_stop,
                   std::vector<float>& logits) = 0;
};

}  // namespace enc
