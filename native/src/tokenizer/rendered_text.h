// A text that a model's template makes of the caller's texts, and where in it these stand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/stages.h"

namespace enc {

struct RenderedText {
  std::string text;           ///< valid UTF-8
  std::vector<Span> callers;  ///< in order, none empty
  /// Of the parts that are tokenized by themselves; the last is the text's.
  std::vector<uint32_t> ends;
};

/// `text` behind `prefix`. Throws Error(limit_exceeded) when the result would have more than `max_bytes`.
void render_prefixed(std::string_view prefix, std::string_view text, size_t max_bytes, RenderedText& out);

}  // namespace enc
