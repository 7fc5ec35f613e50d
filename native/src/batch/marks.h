// Where in its text a model that reads labels, or a list of documents, finds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "enc/batch.h"

namespace enc {

struct TokenSpan {
  int32_t begin, end;
};

/// The tokens [begin, end) that stand for `count` labels or documents, and those of the separator where it is
/// marked. Throws Error(input_invalid) where a text has changed the tokens around it.
std::vector<TokenSpan> find_marks(const std::vector<int32_t>& ids, const MarkRule& rule, size_t count);

}  // namespace enc
