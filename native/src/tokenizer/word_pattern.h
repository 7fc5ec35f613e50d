// The regular expressions with which byte-level BPE tokenizers part a text into words.
#pragma once

#include <memory>
#include <string_view>

#include "tokenizer/pattern.h"

namespace enc {

inline constexpr std::string_view kGpt2Regex =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// The scanner for a known expression, else null. Its matches cover every text without gaps.
std::unique_ptr<const Pattern> make_word_pattern(std::string_view regex);

}  // namespace enc
