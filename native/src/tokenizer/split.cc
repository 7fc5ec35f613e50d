#include "tokenizer/split.h"

#include <algorithm>

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

MatchBehavior read_behavior(JsonValue value) {
  const std::string_view name = value.as_string();
  if (name == "Removed") return MatchBehavior::kRemoved;
  if (name == "Isolated") return MatchBehavior::kIsolated;
  if (name == "MergedWithPrevious") return MatchBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return MatchBehavior::kMergedWithNext;
  if (name == "Contiguous") return MatchBehavior::kContiguous;
  value.fail("is no behavior that is known");
}

/// Collects the pieces of one word, told from left to right whether each is a match.
class Pieces {
 public:
  Pieces(MatchBehavior behavior, std::vector<Span>& out)
      : behavior_(behavior), out_(out), first_(out.size()) {}

  void add(Span piece, bool is_match) {
    if (piece.begin == piece.end) return;
    switch (behavior_) {
      case MatchBehavior::kRemoved:
        if (!is_match) out_.push_back(piece);
        break;
      case MatchBehavior::kIsolated:
        out_.push_back(piece);
        break;
      case MatchBehavior::kMergedWithPrevious:
        put(piece, is_match && !last_is_match_);
        break;
      case MatchBehavior::kMergedWithNext:
        put(piece, !is_match && last_is_match_);
        break;
      case MatchBehavior::kContiguous:
        put(piece, is_match == last_is_match_);
        break;
    }
    last_is_match_ = is_match;
  }

 private:
  void put(Span piece, bool join) {
    if (join && out_.size() > first_)
      out_.back().end = piece.end;
    else
      out_.push_back(piece);
  }

  MatchBehavior behavior_;
  std::vector<Span>& out_;
  size_t first_;
  bool last_is_match_ = false;
};

}  // namespace

void split_words(const Pattern& pattern, MatchBehavior behavior, bool invert, Words& words) {
  std::vector<Span>& out = words.next_spans;
  out.clear();
  for (const Span& word : words.spans) {
    const std::string_view text = words[word];
    Pieces pieces(behavior, out);
    const auto add = [&](size_t begin, size_t end, bool is_match) {
      pieces.add({word.begin + static_cast<uint32_t>(begin), word.begin + static_cast<uint32_t>(end)},
                 is_match != invert);
    };
    size_t done = 0;
    while (done < text.size()) {
      const Pattern::Match match = pattern.find(text, done);
      if (match.begin > done) add(done, match.begin, false);
      if (match.begin < match.end) add(match.begin, match.end, true);
      done = std::max(match.begin, match.end);
    }
  }
  words.spans.swap(out);
}

void Split::split(Words& words) const {
  split_words(*pattern_, behavior_, invert_, words);
}

std::unique_ptr<const PreTokenizer> make_split(std::string_view type, JsonValue block) {
  const auto split_at = [](uint32_t flags, MatchBehavior behavior) {
    return std::make_unique<Split>(make_character_class(flags), behavior);
  };
  if (type == "Split")
    return std::make_unique<Split>(make_pattern(block.at("pattern"), "pre_tokenizer Split"),
                                   read_behavior(block.at("behavior")), block.at("invert").as_bool());
  if (type == "Digits")
    return split_at(unicode::kDigit, block.at("individual_digits").as_bool() ? MatchBehavior::kIsolated
                                                                             : MatchBehavior::kContiguous);
  if (type == "Punctuation") {
    const auto behavior = block.find("behavior");
    return split_at(unicode::kPunctuation, behavior ? read_behavior(*behavior) : MatchBehavior::kIsolated);
  }
  if (type == "Whitespace")
    return std::make_unique<Split>(make_words_and_signs(), MatchBehavior::kRemoved, true);
  if (type == "WhitespaceSplit") return split_at(unicode::kWhitespace, MatchBehavior::kRemoved);
  if (type == "CharDelimiterSplit") {
    const JsonValue delimiter = block.at("delimiter");
    const std::string_view text = delimiter.as_string();
    if (utf8::length(text) != 1) delimiter.fail("must be one character");
    return std::make_unique<Split>(make_literal(std::string(text)), MatchBehavior::kRemoved);
  }
  return nullptr;
}

}  // namespace enc
