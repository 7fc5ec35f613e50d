// The text that a LabelTemplate makes of labels and a text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "enc/tokenizer.h"
#include "tokenizer/rendered_text.h"

namespace enc {

/// Throws Error(limit_exceeded) when the result would have more than `max_bytes`.
void render_labels(const LabelTemplate& layout, const std::vector<std::string>& labels, std::string_view text,
                   size_t max_bytes, RenderedText& out);

/// Takes the ids `labels` from the front of `ids`, or from its end; false when they do not stand there.
bool take_labels(const std::vector<int32_t>& labels, bool are_first, std::vector<int32_t>& ids);

}  // namespace enc
