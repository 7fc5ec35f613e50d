// How many tokens of each text are kept: the rules of Hugging Face's `tokenizers` 0.22 (truncation.rs).
#pragma once

#include <cstddef>

#include "enc/tokenizer.h"

namespace enc {

struct Lengths {
  size_t first;
  size_t second;
};

/// Which of two texts that are both cut has the odd token of an odd budget.
enum class OddToken {
  kLonger,  ///< the longer one, and of two equally long ones the second
  kFirst,   ///< as in transformers' tokenizers that are written in Python
};

/// `lengths`: tokens of the two texts (second 0 for a single text), `budget`: most tokens kept of both
/// together, >= 1. Throws Error(input_too_long) when the text that the strategy names would be left empty, or
/// is not there.
Lengths truncate(Lengths lengths, bool pair, size_t budget, TruncationStrategy strategy,
                 OddToken odd = OddToken::kLonger);

/// How a text is read in windows.
struct WindowPlan {
  size_t other;  ///< tokens kept of the other text, which stands in every window
  size_t room;   ///< tokens of the windowed text in each window but the last, >= 1
  size_t step;   ///< tokens from the beginning of one window to that of the next, >= 1
};

/// `length` and `other`: tokens of the windowed text and of the other one (0 for a single text); `budget`:
/// most tokens of both in one window, >= 1.
WindowPlan plan_windows(size_t length, size_t other, size_t budget, size_t overlap);

}  // namespace enc
