#include "fixtures.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace enc::test {

std::string read_fixture(const std::string& name) {
  const std::string path = std::string(ENC_FIXTURES) + "/tokenizers/" + name;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("no fixture " + path);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::vector<std::vector<std::string>> read_table(const std::string& name) {
  std::vector<std::vector<std::string>> table;
  std::istringstream lines(read_fixture(name));
  for (std::string line; std::getline(lines, line);) {
    auto& fields = table.emplace_back();
    for (size_t start = 0; start <= line.size();) {
      const size_t tab = std::min(line.find('\t', start), line.size());
      fields.push_back(line.substr(start, tab - start));
      start = tab + 1;
    }
  }
  return table;
}

std::string unescape(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\\') {
      bytes.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 2, 2)), nullptr, 16)));
      i += 4;
    } else {
      bytes.push_back(text[i++]);
    }
  }
  return bytes;
}

void Digest::add(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> result{};
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; bit++) value = value & 1 ? 0xEDB88320 ^ value >> 1 : value >> 1;
      result[i] = value;
    }
    return result;
  }();
  for (const char c : bytes) state_ = table[(state_ ^ static_cast<unsigned char>(c)) & 0xFF] ^ state_ >> 8;
}

void Digest::add(const std::vector<int32_t>& numbers) {
  for (const int32_t number : numbers) {
    const auto bits = static_cast<uint32_t>(number);
    const char bytes[4] = {static_cast<char>(bits), static_cast<char>(bits >> 8),
                           static_cast<char>(bits >> 16), static_cast<char>(bits >> 24)};
    add(std::string_view(bytes, 4));
  }
}

std::string Digest::hex() const {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", ~state_);
  return text;
}

std::string digest_of(const std::vector<int32_t>& numbers) {
  Digest digest;
  digest.add(numbers);
  return digest.hex();
}

std::string join(const std::vector<int32_t>& numbers) {
  std::string text;
  for (const int32_t number : numbers) {
    if (!text.empty()) text += ' ';
    text += std::to_string(number);
  }
  return text;
}

std::unique_ptr<const Tokenizer> load_tokenizer(const std::string& name) {
  return Tokenizer::from_json(read_fixture(name + "/tokenizer.json"));
}

std::vector<int32_t> ids_of(const Tokenizer& tokenizer, std::string_view text, SpecialTokens mode) {
  EncodeOptions options;
  options.special_tokens = mode;
  Encoding out;
  tokenizer.encode(text, std::nullopt, options, out);
  return out.ids;
}

std::string replaced(std::string json, std::string_view from, std::string_view to) {
  const size_t at = json.find(from);
  if (at == std::string::npos || json.find(from, at + 1) != std::string::npos)
    throw std::logic_error("not there exactly once: " + std::string(from));
  return json.replace(at, from.size(), to);
}

std::string small_tokenizer_json() {
  return R"({
    "version": "1.0", "truncation": {"max_length": 3}, "padding": null,
    "added_tokens": [
      {"id": 1, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
      {"id": 2, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
      {"id": 9, "content": "extra", "single_word": true, "lstrip": false, "rstrip": false, "normalized": true, "special": false}
    ],
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
      "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
      "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}},
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
      "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "one": 3, "two": 4, "##s": 5, "a": 6, "##a": 7, ".": 8}}
  })";
}

}  // namespace enc::test
