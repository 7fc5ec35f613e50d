// Pre-tokenizers that part words at the matches of a pattern and leave the text as it is.
#pragma once

#include <memory>

#include "tokenizer/pattern.h"
#include "tokenizer/stages.h"

namespace enc {

/// What becomes of a match.
enum class MatchBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

class Split : public PreTokenizer {
 public:
  /// With `invert`, what the pattern does not match counts as the matches.
  Split(std::unique_ptr<const Pattern> pattern, MatchBehavior behavior, bool invert = false)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void split(Words& words) const override;

 private:
  std::unique_ptr<const Pattern> pattern_;
  MatchBehavior behavior_;
  bool invert_;
};

/// Reads Split, Digits, Punctuation, Whitespace, WhitespaceSplit or CharDelimiterSplit; null for other types.
std::unique_ptr<const PreTokenizer> make_split(std::string_view type, JsonValue block);

/// Parts each word of `words` at the pattern's matches.
void split_words(const Pattern& pattern, MatchBehavior behavior, bool invert, Words& words);

}  // namespace enc
