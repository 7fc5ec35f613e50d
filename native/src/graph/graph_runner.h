// Runs packed batches on one thread: builds the graph for the batch's shape, feeds it, reads the logits.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "graph/encoder_graph.h"

namespace enc {

class GraphRunner {
 public:
  /// `backend` computes; it is owned and used by one thread at a time. The rest must outlive the runner;
  /// `team` may be null.
  GraphRunner(ggml_backend_t backend, const Hparams& hparams, const Weights& weights, const Ops& ops,
              TeamLease* team, AttentionPadding padding = AttentionPadding::kNone);

  /// Appends f32 [B, num_labels] to `logits`, in the batch's order; [M] for a model that reads its labels.
  /// Throws Error(internal) for ids outside the model's tables, Error(out_of_memory), Error(aborted) when the
  /// backend's abort callback said so.
  void run(const PackedBatch& batch, std::vector<float>& logits);

  /// Bytes of working memory that run() takes for the batch in a team of `members`. Allocates none of it and
  /// reads no weight; the weights' tensors may still be without data.
  uint64_t measure(const PackedBatch& batch, int members);

  /// Bytes of working memory that earlier runs left in use.
  uint64_t held_bytes() const;

 private:
  using Context = std::unique_ptr<ggml_context, decltype(&ggml_free)>;

  void check(const PackedBatch& batch) const;
  Context start(GraphContext& g, const PackedBatch& batch);

  std::unique_ptr<ggml_backend, decltype(&ggml_backend_free)> backend_;
  std::unique_ptr<ggml_gallocr, decltype(&ggml_gallocr_free)> allocator_;
  const Hparams& hparams_;
  const Weights& weights_;
  const Ops& ops_;
  TeamLease* team_;
  AttentionPadding padding_;
  Scratch scratch_;
  std::vector<char> graph_memory_;
};

}  // namespace enc
