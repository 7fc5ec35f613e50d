// Reads the committed expectations of scripts/make-tokenizer-fixtures.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "enc/tokenizer.h"

namespace enc::test {

/// A file of test/fixtures/tokenizers, whole.
std::string read_fixture(const std::string& name);

/// Its lines, each split at the tabs.
std::vector<std::vector<std::string>> read_table(const std::string& name);

/// Bytes of an escaped string (\xNN stands for any byte).
std::string unescape(std::string_view text);

/// CRC-32 (as in zlib) of what was added.
class Digest {
 public:
  void add(std::string_view bytes);
  /// Each number as four bytes, lowest first.
  void add(const std::vector<int32_t>& numbers);
  /// Eight hexadecimal digits.
  std::string hex() const;

 private:
  uint32_t state_ = 0xFFFFFFFF;
};

std::string digest_of(const std::vector<int32_t>& numbers);

/// Numbers with spaces between them.
std::string join(const std::vector<int32_t>& numbers);

/// The tokenizer of a fixture folder ("wordpiece-uncased").
std::unique_ptr<const Tokenizer> load_tokenizer(const std::string& name);

/// Ids of `text` with control tokens treated as `mode` says and no limit.
std::vector<int32_t> ids_of(const Tokenizer& tokenizer, std::string_view text,
                            SpecialTokens mode = SpecialTokens::kParse);

/// `json` with its only occurrence of `from` replaced; fails the test when there is none.
std::string replaced(std::string json, std::string_view from, std::string_view to);

/// A complete tokenizer.json with a vocabulary of a few words, of which tests break one part.
std::string small_tokenizer_json();

}  // namespace enc::test
