// The text that a ListTemplate makes of a query and documents.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "enc/tokenizer.h"
#include "tokenizer/rendered_text.h"

namespace enc {

/// `text` without the template's marks, and without those that come to be when others are gone.
std::string without_marks(const ListTemplate& layout, std::string_view text);

/// Query, documents and prompt hold no marks. Throws Error(limit_exceeded) when the result would have more
/// than `max_bytes`.
void render_list(const ListTemplate& layout, std::string_view query, std::span<const std::string> documents,
                 std::string_view prompt, size_t max_bytes, RenderedText& out);

}  // namespace enc
