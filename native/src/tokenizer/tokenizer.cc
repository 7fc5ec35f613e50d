// A text's way through the stages, and of their result through truncation and template.
#include "enc/tokenizer.h"

#include <algorithm>
#include <string>

#include "enc/error.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/stages.h"
#include "tokenizer/template.h"
#include "tokenizer/truncation.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

// Positions inside a text have 32 bits, and a normalizer may write three bytes for one.
constexpr size_t kMaxTextBytes = size_t{256} << 20;
constexpr size_t kKeptScratchBytes = size_t{1} << 20;

/// Buffers that a thread keeps from text to text.
struct Scratch {
  std::string sanitized;
  std::string normalized;
  std::vector<Piece> raw_pieces;
  std::vector<Piece> pieces;
  Words words;
  std::vector<int32_t> first;
  std::vector<int32_t> second;

  /// Gives back what an unusually long text made large.
  void trim() noexcept {
    const auto trim_one = [](auto& buffer) {
      if (buffer.capacity() * sizeof(buffer[0]) <= kKeptScratchBytes) return;
      buffer.clear();
      buffer.shrink_to_fit();
    };
    trim_one(sanitized), trim_one(normalized), trim_one(raw_pieces), trim_one(pieces);
    trim_one(words.text), trim_one(words.spans), trim_one(words.next_text), trim_one(words.next_spans);
    trim_one(first), trim_one(second);
  }
};

/// The calling thread's buffers; trimmed when the text is done with, by an error too.
struct ScratchUse {
  static inline thread_local Scratch buffers;
  ~ScratchUse() { buffers.trim(); }
};

class PipelineTokenizer : public Tokenizer {
 public:
  explicit PipelineTokenizer(JsonValue root)
      : normalizer_(make_normalizer(root.at("normalizer"))),
        pre_tokenizer_(make_pre_tokenizer(root.at("pre_tokenizer"))),
        model_(make_model(root.at("model"))),
        added_tokens_(root.at("added_tokens"), *model_, *normalizer_),
        template_(root.at("post_processor")) {
    model_->set_control_ids(added_tokens_.special_ids());
  }

  void encode(std::string_view text, std::optional<std::string_view> pair, const EncodeOptions& options,
              Encoding& out) const override;

  size_t vocab_size() const override {
    return static_cast<size_t>(std::max({model_->max_id(), added_tokens_.max_id(), template_.max_id()})) + 1;
  }
  size_t num_special_tokens(bool pair) const override { return template_.num_special_tokens(pair); }

 private:
  void tokenize(std::string_view text, SpecialTokens mode, size_t limit, Scratch& scratch,
                std::vector<int32_t>& ids) const;
  void tokenize_normalized(SpecialTokens mode, bool at_start, size_t limit, Scratch& scratch,
                           std::vector<int32_t>& ids) const;

  std::unique_ptr<const Normalizer> normalizer_;
  std::unique_ptr<const PreTokenizer> pre_tokenizer_;
  std::unique_ptr<Model> model_;
  AddedTokens added_tokens_;
  Template template_;
};

void split_at(const AddedTokenMatcher& matcher, std::string_view text, SpecialTokens mode,
              std::vector<Piece>& pieces) {
  pieces.clear();
  if (matcher.is_needed(mode))
    matcher.split(text, mode, pieces);
  else
    pieces.push_back({{0, static_cast<uint32_t>(text.size())}, -1});
}

std::string_view part(std::string_view text, Span span) {
  return text.substr(span.begin, span.end - span.begin);
}

/// All ids of `text`, or at least `limit` of them from its beginning.
void PipelineTokenizer::tokenize(std::string_view text, SpecialTokens mode, size_t limit, Scratch& scratch,
                                 std::vector<int32_t>& ids) const {
  ids.clear();
  if (text.size() > kMaxTextBytes)
    throw Error(ErrorCode::limit_exceeded, "a text has " + std::to_string(text.size()) +
                                               " bytes, more than " + std::to_string(kMaxTextBytes) +
                                               "; split it");
  const std::string_view valid = utf8::sanitize(text, scratch.sanitized);
  split_at(added_tokens_.before_normalizer(), valid, mode, scratch.raw_pieces);
  for (const Piece& piece : scratch.raw_pieces) {
    if (ids.size() >= limit) return;
    if (piece.id >= 0) {
      ids.push_back(piece.id);
      continue;
    }
    scratch.normalized.clear();
    normalizer_->normalize(part(valid, piece.span), scratch.normalized);
    tokenize_normalized(mode, piece.span.begin == 0, limit, scratch, ids);
  }
}

/// `at_start`: scratch.normalized begins where the text begins.
void PipelineTokenizer::tokenize_normalized(SpecialTokens mode, bool at_start, size_t limit, Scratch& scratch,
                                            std::vector<int32_t>& ids) const {
  const bool allow_control = mode != SpecialTokens::kText;
  split_at(added_tokens_.after_normalizer(), scratch.normalized, mode, scratch.pieces);
  for (const Piece& piece : scratch.pieces) {
    if (piece.id >= 0) {
      ids.push_back(piece.id);
      continue;
    }
    Words& words = scratch.words;
    if (scratch.pieces.size() == 1)
      words.text.swap(scratch.normalized);
    else
      words.text = part(scratch.normalized, piece.span);
    words.at_start = at_start && piece.span.begin == 0;
    words.spans.clear();
    if (!words.text.empty()) words.spans.push_back({0, static_cast<uint32_t>(words.text.size())});
    pre_tokenizer_->split(words);
    for (const Span& word : words.spans) {
      if (ids.size() >= limit) return;
      model_->tokenize(words[word], allow_control, ids);
    }
  }
}

void PipelineTokenizer::encode(std::string_view text, std::optional<std::string_view> pair,
                               const EncodeOptions& options, Encoding& out) const {
  const ScratchUse use;
  Scratch& scratch = ScratchUse::buffers;
  const bool has_pair = pair.has_value();
  const size_t num_special = num_special_tokens(has_pair);
  if (options.max_length <= num_special)
    throw Error(ErrorCode::input_invalid, "max_length " + std::to_string(options.max_length) +
                                              " leaves no room for text beside " +
                                              std::to_string(num_special) + " control tokens");
  const size_t budget = options.max_length - num_special;
  const auto tokenize_both = [&](size_t limit) {
    tokenize(text, options.special_tokens, limit, scratch, scratch.first);
    scratch.second.clear();
    if (has_pair) tokenize(*pair, options.special_tokens, limit, scratch, scratch.second);
  };
  // What is cut off at the right need not be tokenized: one token beyond the budget tells that the text is
  // longer.
  const bool may_stop = options.side == TruncationSide::kRight &&
                        options.special_tokens != SpecialTokens::kError && budget < SIZE_MAX / 4;
  tokenize_both(may_stop ? budget + 1 : SIZE_MAX);
  // Only an odd token between two long texts asks which is the longer.
  if (may_stop && budget % 2 == 1 && options.strategy == TruncationStrategy::kLongestFirst &&
      std::min(scratch.first.size(), scratch.second.size()) > budget)
    tokenize_both(SIZE_MAX);

  const Lengths lengths{scratch.first.size(), scratch.second.size()};
  const Lengths kept = truncate(lengths, has_pair, budget, options.strategy);
  const auto keep = [&](const std::vector<int32_t>& ids, size_t count) {
    const int32_t* begin = ids.data();
    if (options.side == TruncationSide::kLeft) begin += ids.size() - count;
    return Template::Ids{begin, begin + count};
  };
  const Template::Ids second = keep(scratch.second, kept.second);
  template_.apply(keep(scratch.first, kept.first), has_pair ? &second : nullptr, out);
  out.truncated = kept.first < lengths.first || kept.second < lengths.second;
}

}  // namespace

std::unique_ptr<const Tokenizer> Tokenizer::from_json(std::string_view json) {
  const JsonDocument document(json);
  const JsonValue root = document.root();
  if (const auto version = root.find("version"); version && version->as_string() != "1.0")
    fail_unsupported("version", version->as_string(), "1.0");
  return std::make_unique<PipelineTokenizer>(root);
}

}  // namespace enc
