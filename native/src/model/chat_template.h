// The chat template of a file, checked: its constant pieces and the places between them.
#pragma once

#include <optional>

#include "enc/tokenizer.h"
#include "model/gguf_file.h"

namespace enc {

/// Absent when the file has none. Throws Error(gguf_malformed).
std::optional<PairTemplate> read_chat_template(const GgufFile& file);

}  // namespace enc
