// Which sequences of a batch are computed together.
#pragma once

#include <cstdint>
#include <vector>

#include "enc/batch.h"

namespace enc {

/// Sequences of one length that lie next to each other in a batch.
struct LengthGroup {
  int64_t first_token;
  int64_t first_sequence;
  int64_t length;
  int64_t count;
};

/// Sequences next to each other in a batch whose attention is computed at once.
struct AttentionGroup {
  int64_t first_token;
  int64_t first_sequence;
  int64_t length;  ///< rows that each sequence takes: the longest one's
  int64_t count;
  int64_t num_tokens;

  bool is_padded() const { return num_tokens < length * count; }
};

/// Which sequences the portable graph attends at once.
enum class AttentionPadding {
  kNone,  ///< those of one length: a text's score is the same, bit for bit, whatever its batch-mates
  /// Also those of similar lengths, padded: a fraction of the operations, for devices where starting one
  /// costs as much as computing it.
  kSimilarLengths,
};

/// Both cover the batch in order; they join neighbours only, so a batch is best sorted by length.
std::vector<LengthGroup> group_by_length(const PackedBatch& batch);
std::vector<AttentionGroup> group_for_attention(const std::vector<LengthGroup>& groups,
                                                AttentionPadding padding);

}  // namespace enc
