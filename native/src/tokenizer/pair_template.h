// The text that a PairTemplate makes of a pair, and where in it the caller's texts stand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "enc/tokenizer.h"
#include "tokenizer/rendered_text.h"

namespace enc {

/// Throws Error(limit_exceeded) when the result would have more than `max_bytes`.
void render_pair(const PairTemplate::Layout& layout, std::string_view first, std::string_view second,
                 std::string_view prompt, size_t max_bytes, RenderedText& out);

/// True when bytes [begin, end) hold some of `callers`.
bool overlaps(const std::vector<Span>& callers, size_t begin, size_t end);

/// How many tokens `a` and `b` have in common at their ends; 0 when one of them is all of it.
size_t common_end(const std::vector<int32_t>& a, const std::vector<int32_t>& b);

}  // namespace enc
