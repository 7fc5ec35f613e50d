// Where in its text a model that reads labels, or a list of documents, finds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "enc/batch.h"
#include "enc/tokenizer.h"

namespace enc {

/// The tokens that stand for `count` labels or documents, and those of the separator where it is marked, or
/// of the text where the tokenizer tells. Throws Error(input_invalid) where a text has changed the tokens
/// around it.
std::vector<TokenSpan> find_marks(const Encoding& encoding, const MarkRule& rule, size_t count);

}  // namespace enc
