// BertPreTokenizer: words are parted by white space, and each punctuation character is a word.
#pragma once

#include <array>

#include "tokenizer/stages.h"

namespace enc {

class BertPreTokenizer : public PreTokenizer {
 public:
  BertPreTokenizer();

  void split(Words& words) const override;

 private:
  std::array<unsigned char, 128> ascii_;  // unicode::kWhitespace, unicode::kPunctuation or 0
};

}  // namespace enc
