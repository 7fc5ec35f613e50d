// What passes between tokenizer and graph: sequences laid end to end, with no padding between them.
#pragma once

#include <cstdint>
#include <vector>

namespace enc {

/// T tokens in B sequences. Sequence b owns tokens [cu_seqlens[b], cu_seqlens[b + 1]).
struct PackedBatch {
  std::vector<int32_t> ids;         ///< [T]
  std::vector<int32_t> type_ids;    ///< [T]
  std::vector<int32_t> positions;   ///< [T], counted from 0 in each sequence
  std::vector<int32_t> cu_seqlens;  ///< [B + 1], first entry 0, strictly increasing

  int64_t num_tokens() const { return int64_t(ids.size()); }
  int64_t num_sequences() const { return int64_t(cu_seqlens.size()) - 1; }
};

}  // namespace enc
