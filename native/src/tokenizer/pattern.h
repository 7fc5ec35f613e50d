// The patterns of Split and Replace: a string, or one of the regular expressions that published tokenizers
// use, each recognised by its exact text. No expression is compiled, so none can take exponential time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "tokenizer/json_document.h"

namespace enc {

class Pattern {
 public:
  struct Match {
    size_t begin;
    size_t end;
  };

  virtual ~Pattern() = default;
  /// The first match in `text` that begins at `from` or later, never empty; {text.size(), text.size()} when
  /// there is none.
  virtual Match find(std::string_view text, size_t from) const = 0;
};

/// Reads {"String": "..."} or {"Regex": "..."}. Throws Error(tokenizer_unsupported) for an expression that is
/// not among the known ones. `stage` is named in the message.
std::unique_ptr<const Pattern> make_pattern(JsonValue block, const std::string& stage);

/// Finds `text` itself, which is not empty.
std::unique_ptr<const Pattern> make_literal(std::string text);

/// Each character with any of the unicode::Flag bits `flags`.
std::unique_ptr<const Pattern> make_character_class(uint32_t flags);

/// \w+|[^\w\s]+
std::unique_ptr<const Pattern> make_words_and_signs();

/// GPT-2's expression, which ByteLevel's use_regex stands for.
std::unique_ptr<const Pattern> make_gpt2_words();

}  // namespace enc
