// NFC, NFD, NFKC and NFKD with the tables of Hugging Face's library, which know the marks up to Unicode 9.
#pragma once

#include "tokenizer/stages.h"

namespace enc {

class NormalForm : public Normalizer {
 public:
  /// `compatible`: NFKC and NFKD; `composed`: NFC and NFKC.
  NormalForm(bool compatible, bool composed) : compatible_(compatible), composed_(composed) {}

  bool normalize(std::string_view text, std::string& out) const override;

 private:
  bool compatible_;
  bool composed_;
};

}  // namespace enc
