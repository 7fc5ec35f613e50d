// The stages of a tokenizer as tokenizer.json names them. A text passes added tokens, Normalizer,
// PreTokenizer, Model and Template in this order; each component of the file is one class behind one of these
// interfaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/json_document.h"

namespace enc {

/// Largest id that a file may give to a token.
constexpr int64_t kMaxTokenId = INT32_MAX - 1;

/// Bytes [begin, end) of a text.
struct Span {
  uint32_t begin;
  uint32_t end;
};

/// All stages are immutable and safe to use from many threads. Texts are valid UTF-8.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  /// Appends the normalised `text` to `out`. False when characters at the beginning of `text` were dropped,
  /// so that what was appended begins behind them.
  virtual bool normalize(std::string_view text, std::string& out) const = 0;
};

/// A text on its way through pre-tokenizers, which part it and may rewrite it.
struct Words {
  std::string text;
  /// In order, not empty, not overlapping.
  std::vector<Span> spans;
  /// `text` begins where the text that the caller gave begins.
  bool at_start = true;

  /// Room for a pre-tokenizer to build its result in, before it swaps it with the above.
  std::string next_text;
  std::vector<Span> next_spans;

  std::string_view operator[](const Span& span) const {
    return std::string_view(text).substr(span.begin, span.end - span.begin);
  }
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  /// Parts each word of `words`.
  virtual void split(Words& words) const = 0;
};

class Model {
 public:
  virtual ~Model() = default;
  /// Appends the ids of one word. With `allow_control` false, control tokens are never given for text that
  /// spells them.
  virtual void tokenize(std::string_view word, bool allow_control, std::vector<int32_t>& ids) const = 0;
  /// Id of a token of the vocabulary, or -1.
  virtual int32_t token_to_id(std::string_view token) const = 0;
  /// Number of tokens in the vocabulary, and the largest id among them.
  virtual size_t num_tokens() const = 0;
  virtual int32_t max_id() const = 0;
  /// Says which ids are control tokens; called once, before any tokenize().
  virtual void set_control_ids(const std::vector<int32_t>& ids) = 0;
};

/// Throws Error(limit_exceeded) when stages have made `after` bytes of a text of `before`, more than real
/// ones do: a sequence of stages that each double a text would not end before memory does.
void check_growth(size_t before, size_t after);

/// Stages come in sequences; one nested deeper than this is refused.
constexpr int kMaxNesting = 8;

/// These build a stage from its block of tokenizer.json. They throw Error(tokenizer_unsupported) for a type
/// that is not implemented, and Error(checkpoint_malformed) for a block that is not what its type asks for,
/// or that holds more stages than any text should pass.
std::unique_ptr<const Normalizer> make_normalizer(JsonValue block);
std::unique_ptr<const PreTokenizer> make_pre_tokenizer(JsonValue block);
std::unique_ptr<Model> make_model(JsonValue block);

/// Error(tokenizer_unsupported) that names a component of tokenizer.json and what there is instead.
[[noreturn]] void fail_unsupported(const std::string& stage, std::string_view type,
                                   const std::string& supported);

}  // namespace enc
