// The chat template of a file, checked: its constant pieces and the places between them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enc/tokenizer.h"
#include "model/gguf_file.h"

namespace enc {

/// Absent when the file has none. Throws Error(gguf_malformed).
std::optional<PairTemplate> read_chat_template(const GgufFile& file);

/// A template's constant texts, valid UTF-8, and between them the places, as indices of their words.
struct TemplateParts {
  std::vector<std::string> pieces;
  std::vector<size_t> slots;  ///< one fewer than the pieces
};

/// The keys `pieces` and `slots` behind `prefix`. Throws Error(gguf_malformed), also for a place "prompt"
/// unless `takes_prompt`.
TemplateParts read_template_parts(const GgufFile& file, const std::string& prefix,
                                  std::span<const std::string_view> slots, bool takes_prompt);

}  // namespace enc
