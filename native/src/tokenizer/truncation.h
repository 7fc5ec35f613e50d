// How many tokens of each text are kept: the rules of Hugging Face's `tokenizers` 0.22 (truncation.rs).
#pragma once

#include <cstddef>

#include "enc/tokenizer.h"

namespace enc {

struct Lengths {
  size_t first;
  size_t second;
};

/// `lengths`: tokens of the two texts (second 0 for a single text), `budget`: most tokens kept of both
/// together, >= 1. Throws Error(input_too_long) when the text that the strategy names would be left empty, or
/// is not there.
Lengths truncate(Lengths lengths, bool pair, size_t budget, TruncationStrategy strategy);

}  // namespace enc
