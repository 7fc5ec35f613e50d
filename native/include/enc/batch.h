// What passes between tokenizer and graph: sequences laid end to end, with no padding between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "enc/key_values.h"

namespace enc {

/// The tokens whose states, or their mean, stand for a label.
enum class LabelTokens {
  kMark,
  kNext,  ///< the token behind the mark
  kSpan,  ///< mark and label, up to the next mark; the last also what follows, unless the text's state is the
          ///< separator's
  kRest,  ///< the same without the mark
  kHeld,  ///< each token that holds some of the label: the tokenizer tells which
};

/// Where a model that reads its labels, or a list of documents, finds them among its input's tokens.
struct MarkRule {
  int32_t token_id = 0;      ///< stands before each label, or behind each document
  int32_t separator_id = 0;  ///< behind the last one
  bool labels_first = true;  ///< before the text, else behind it, whose own marks do not count
  LabelTokens tokens = LabelTokens::kMark;
  bool ends_at_separator = false;  ///< the last label's span does
  bool has_segments = false;       ///< segment 1 begins with the separator
  bool marks_separator = false;    ///< the separator's state is read as well, behind the labels'
};

/// T tokens in B sequences. Sequence b owns tokens [cu_seqlens[b], cu_seqlens[b + 1]), which continue those
/// of its prefix where it has one.
struct PackedBatch {
  std::vector<int32_t> ids;         ///< [T]
  std::vector<int32_t> type_ids;    ///< [T]
  std::vector<int32_t> positions;   ///< [T], counted from 0 in each text, its prefix included
  std::vector<int32_t> cu_seqlens;  ///< [B + 1], first entry 0, strictly increasing
  /// [B], the earlier sequence, without a prefix itself, whose tokens stand before b's own; -1: none. Empty
  /// when no sequence has one.
  std::vector<int32_t> prefixes;
  /// [B], what stands before b's own tokens and in no batch any more; such a sequence has no prefix. Empty
  /// when no sequence has any.
  std::vector<Remembered> remembered;
  /// To be filled with what the layers make of the first tokens of sequence `kept_sequence`, before which
  /// nothing stands; null: nothing is kept.
  std::shared_ptr<KeyValues> kept;
  int64_t kept_sequence = 0;
  /// [B], tokens at the beginning of b that are seen, at least one; those behind them see and are not seen.
  /// Empty when all are seen.
  std::vector<int32_t> key_counts;
  /// [M], where the tokens that stand for each label begin, in order; only for models that read their labels,
  /// or lists: of those the token behind each document, and that behind the query; or that compare tokens:
  /// each that scores.
  std::vector<int32_t> marks;
  std::vector<int32_t> mark_ends;    ///< [M], where they end; one without tokens ends where it begins
  std::vector<int32_t> mark_owners;  ///< [M], the sequence of each
  /// [B], where the tokens of each text begin and end, one without tokens as above; only for models that read
  /// their mean.
  std::vector<int32_t> texts, text_ends;

  int64_t num_tokens() const { return int64_t(ids.size()); }
  int64_t num_sequences() const { return int64_t(cu_seqlens.size()) - 1; }
  int64_t length(int64_t b) const { return cu_seqlens[size_t(b) + 1] - cu_seqlens[size_t(b)]; }
  int64_t num_keys(int64_t b) const { return key_counts.empty() ? length(b) : key_counts[size_t(b)]; }
  /// Tokens before b's own.
  int64_t prefix_length(int64_t b) const {
    if (!remembered.empty() && remembered[size_t(b)].tokens > 0) return int64_t(remembered[size_t(b)].tokens);
    return prefixes.empty() || prefixes[size_t(b)] < 0 ? 0 : length(prefixes[size_t(b)]);
  }
  bool has_prefixes() const { return !prefixes.empty() || !remembered.empty(); }
};

}  // namespace enc
