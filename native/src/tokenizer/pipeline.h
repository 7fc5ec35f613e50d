// A text's way through the stages: added tokens, normalizer, pre-tokenizer and model.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "enc/tokenizer.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/rendered_text.h"
#include "tokenizer/stages.h"

namespace enc {

/// Positions inside a text have 32 bits, and a normalizer may write three bytes for one.
constexpr size_t kMaxTextBytes = size_t{256} << 20;

/// Frees a buffer that an unusually long text made large.
template <typename Buffer>
void trim_buffer(Buffer& buffer) noexcept {
  constexpr size_t kKeptBytes = size_t{1} << 20;
  if (buffer.capacity() * sizeof(buffer[0]) <= kKeptBytes) return;
  buffer.clear();
  buffer.shrink_to_fit();
}

struct PipelineScratch {
  std::string sanitized;
  std::string normalized;
  std::vector<Piece> raw_pieces;
  std::vector<Piece> pieces;
  std::vector<Span> callers;
  Words words;

  void trim() noexcept {
    trim_buffer(sanitized), trim_buffer(normalized), trim_buffer(raw_pieces), trim_buffer(pieces);
    trim_buffer(words.text), trim_buffer(words.spans);
    trim_buffer(words.next_text), trim_buffer(words.next_spans);
  }
};

class Pipeline {
 public:
  /// Reads all of a tokenizer.json but its post-processor.
  explicit Pipeline(JsonValue root);

  /// All ids of `text`, or at least `limit` of them from its beginning. Throws Error(limit_exceeded) for one
  /// of more than kMaxTextBytes, and Error(input_invalid) under SpecialTokens::kError.
  void tokenize(std::string_view text, SpecialTokens mode, size_t limit, PipelineScratch& scratch,
                std::vector<int32_t>& ids) const;
  /// The same of a text of which not all is the caller's, each of its parts by itself.
  void tokenize(const RenderedText& rendered, SpecialTokens mode, size_t limit, PipelineScratch& scratch,
                std::vector<int32_t>& ids) const;

  /// True when control tokens are looked for where nobody knows any more which bytes are the caller's.
  bool finds_control_tokens_late() const { return added_tokens_.after_normalizer().has_special(); }
  int32_t max_id() const { return std::max(model_->max_id(), added_tokens_.max_id()); }

 private:
  void append_tokens(std::string_view text, SpecialTokens mode, size_t limit, PipelineScratch& scratch,
                     std::vector<int32_t>& ids, const std::vector<Span>* callers) const;
  void tokenize_normalized(SpecialTokens mode, bool at_start, size_t limit, PipelineScratch& scratch,
                           std::vector<int32_t>& ids) const;

  std::unique_ptr<const Normalizer> normalizer_;
  std::unique_ptr<const PreTokenizer> pre_tokenizer_;
  std::unique_ptr<Model> model_;
  AddedTokens added_tokens_;
};

}  // namespace enc
