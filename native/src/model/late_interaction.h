// What a model for late interaction makes of queries and documents, as its file says it, checked.
#pragma once

#include <optional>

#include "batch/late_interaction.h"
#include "enc/tokenizer.h"
#include "model/gguf_file.h"
#include "model/hparams.h"

namespace enc {

struct LateInteraction {
  InteractionTemplate texts;
  InteractionRule rule;
};

/// Absent when the head makes no vectors of all tokens. Throws Error(gguf_malformed).
std::optional<LateInteraction> read_late_interaction(const GgufFile& file, const Hparams& hparams);

}  // namespace enc
