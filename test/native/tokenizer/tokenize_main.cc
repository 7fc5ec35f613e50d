// enc_tokenize <tokenizer.json> [text|parse]: ids for the texts on standard input, for comparison with other
// implementations (scripts/check-tokenizers.py). Each text, and each second text of a pair, comes as a
// little-endian 32-bit length and so many bytes; a length of 2^32 - 1 says that there is no second text. For
// each pair the program writes the number of ids, the ids, and the segment of each.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "enc/tokenizer.h"

namespace {

constexpr uint32_t kNoText = UINT32_MAX;

bool read_text(std::optional<std::string>& text) {
  uint32_t size = 0;
  if (std::fread(&size, sizeof size, 1, stdin) != 1) return false;
  text.reset();
  if (size == kNoText) return true;
  text.emplace(size, '\0');
  return std::fread(text->data(), 1, size, stdin) == size;
}

void write(const std::vector<int32_t>& numbers) {
  std::fwrite(numbers.data(), sizeof numbers[0], numbers.size(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::ifstream file(argc > 1 ? argv[1] : "", std::ios::binary);
    if (!file) throw std::runtime_error("usage: enc_tokenize <tokenizer.json> [text|parse]");
    const std::string json{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto tokenizer = enc::Tokenizer::from_json(json);
    enc::EncodeOptions options;
    if (argc < 3 || std::strcmp(argv[2], "parse") == 0) options.special_tokens = enc::SpecialTokens::kParse;
    enc::Encoding out;
    for (std::optional<std::string> text, pair; read_text(text) && read_text(pair);) {
      tokenizer->encode(*text, pair, options, out);
      const auto count = static_cast<int32_t>(out.ids.size());
      write({count});
      write(out.ids);
      write(out.type_ids);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
