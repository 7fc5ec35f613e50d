// What a thread does with its share of the queue: tokenize, pack, compute, and hand each call its results, as
// soon as they are there.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "batch/batch_plan.h"
#include "batch/batch_runner.h"
#include "batch/call.h"
#include "batch/late_interaction.h"
#include "batch/prefix_memory.h"
#include "enc/tokenizer.h"

namespace enc {

/// How a model's inputs become batches.
struct ShareOptions {
  BatchLimits batch;
  int64_t pad_token_id;  ///< the head reads the rightmost other token; < 0: the last one
  size_t num_labels;
  bool single_segment;             ///< the model knows one segment: pairs get type id 0 throughout
  size_t short_length = SIZE_MAX;  ///< an input of more tokens shares no batch with one of fewer
  std::optional<MarkRule> marks = {};
  std::optional<InteractionRule> interaction = {};  ///< inputs are pairs whose tokens score each other
  int64_t uncounted_token_id = -1;  ///< positions do not count this token; < 0: they count all
  int32_t uncounted_position = 0;   ///< its own
  PrefixMemory* memory =
      nullptr;  ///< of what texts begin with, beside BatchLimits::shares_prefixes; null: none
};

class ShareProcessor {
 public:
  using Finish = std::function<void(Slice&)>;

  /// `options` and `tokenizer` must outlive it.
  ShareProcessor(const ShareOptions& options, const Tokenizer& tokenizer, std::unique_ptr<BatchRunner> runner,
                 Finish finish);

  /// Calls `finish` with each slice when all its inputs have their results, or their call has failed. Errors
  /// of an input or a batch become those of its calls; what is thrown concerns all slices that are left.
  void process(std::span<Slice> share);

 private:
  struct Item;
  struct QueryVectors;

  std::vector<Item> tokenize() const;
  void tokenize(size_t place, std::vector<Item>& items) const;
  void answered(const Item& item);
  void append_sequence(PackedBatch& batch, const Item& item, size_t begin, size_t end, size_t position) const;
  bool run(const PackedBatch& batch, std::span<const Item* const> owners, std::vector<float>& values);

  /// Before the texts of a part: a sequence that the batch has, or what is remembered; `kept` is to be
  /// filled.
  struct Beginning {
    size_t prefix = 0;
    Remembered remembered;
    std::shared_ptr<KeyValues> kept;
  };
  Beginning begin(std::span<const Item* const> texts, size_t prefix) const;

  size_t shared_tokens(const Item& item) const;
  void compute(std::span<Item> items);
  void compute_batch(std::span<const Item> items, const BatchPlan& plan);
  void compare(std::span<Item> items);
  void compare_batch(std::span<const Item> items, QueryVectors& query);

  const ShareOptions& options_;
  const Tokenizer& tokenizer_;
  const std::unique_ptr<BatchRunner> runner_;
  const Finish finish_;
  std::span<Slice> share_;          ///< that is being processed
  std::vector<size_t> items_left_;  ///< of each slice of it
};

}  // namespace enc
