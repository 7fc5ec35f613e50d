// The text that a LabelTemplate makes of labels and a text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "enc/tokenizer.h"
#include "tokenizer/rendered_text.h"

namespace enc {

/// The bytes of a rendered text that are labels, and where those begin that are the text.
struct LabelPlaces {
  std::vector<Span> labels;
  uint32_t text = 0;
};

/// Throws Error(limit_exceeded) when the result would have more than `max_bytes`.
LabelPlaces render_labels(const LabelTemplate& layout, const std::vector<std::string>& labels,
                          std::string_view text, size_t max_bytes, RenderedText& out);

/// For each label the tokens that hold some of it, and at last those that hold some of the text, which stands
/// behind the labels. `ends`: the byte behind each token.
std::vector<TokenSpan> find_spans(const LabelPlaces& places, const std::vector<uint32_t>& ends);

/// Takes the ids `labels` from the front of `ids`, or from its end; false when they do not stand there.
bool take_labels(const std::vector<int32_t>& labels, bool are_first, std::vector<int32_t>& ids);

}  // namespace enc
