// The keys of a head that reads its labels.
#pragma once

#include "model/hparams_reader.h"

namespace enc {

/// Reads hparams.label_head, when all other keys are read. Throws as read_hparams() does.
void read_label_head(const HparamsReader& reader, Hparams& hparams);

}  // namespace enc
