// Where in its text each token ends, for tokenizers whose tokens are the bytes of a text.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tokenizer/stages.h"

namespace enc {

class TokenBytes {
 public:
  /// `root`: the whole tokenizer.json. Throws Error(tokenizer_unsupported) for a model that is no BPE, or an
  /// added token that takes as many bytes as another has characters.
  explicit TokenBytes(JsonValue root);

  /// The byte behind each of `ids`, which are those of a text of `size` bytes, or its first ones. Throws
  /// Error(tokenizer_unsupported) where they are not the bytes of that text, Error(input_invalid) for a token
  /// that takes in an unknown number of spaces.
  void find_ends(const std::vector<int32_t>& ids, bool are_all, size_t size,
                 std::vector<uint32_t>& ends) const;

 private:
  void set(int32_t id, size_t bytes);

  std::vector<uint32_t> bytes_;                 // by id; 0: no token
  std::map<int32_t, std::string> with_spaces_;  // special tokens that take in the spaces beside them
};

}  // namespace enc
