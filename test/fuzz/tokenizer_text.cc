// Bytes as a text and its pair, under options taken from the first byte.
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

#include "enc/error.h"
#include "enc/tokenizer.h"

namespace {

std::string read(const std::string& name) {
  std::ostringstream text;
  text << std::ifstream(std::string(ENC_FIXTURES) + "/tokenizers/" + name).rdbuf();
  return text.str();
}

/// BERT's, or the same with BERTweet's normalizer.
const enc::Tokenizer& tokenizer(bool for_tweets) {
  static const std::string plain = read("wordpiece-uncased/tokenizer.json");
  static const auto loaded = enc::Tokenizer::from_json(plain);
  static const auto tweets = [] {
    std::string json = plain;
    const std::string key = R"("normalizer":)";
    json.insert(json.find(key) + key.size(), read("tweets/normalizer.json") + R"(,"other":)");
    return enc::Tokenizer::from_json(json);
  }();
  return for_tweets ? *tweets : *loaded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data + 2), size - 2);
  const size_t half = data[1] * all.size() / 255;
  enc::EncodeOptions options;
  options.max_length = 4 + data[0] % 61;
  options.side = data[0] & 64 ? enc::TruncationSide::kLeft : enc::TruncationSide::kRight;
  options.special_tokens = data[0] & 128 ? enc::SpecialTokens::kParse : enc::SpecialTokens::kText;
  try {
    enc::Encoding encoding;
    const enc::Tokenizer& used = tokenizer(data[1] & 1);
    used.encode(all.substr(0, half), all.substr(half), options, encoding);
    if (encoding.ids.size() > options.max_length || encoding.ids.size() != encoding.type_ids.size())
      __builtin_trap();
    for (const int32_t id : encoding.ids) {
      if (id < 0 || size_t(id) >= used.vocab_size()) __builtin_trap();
    }
  } catch (const enc::Error& error) {
    if (error.code() != enc::ErrorCode::input_too_long) __builtin_trap();
  }
  return 0;
}
