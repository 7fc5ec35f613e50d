// Every Unicode scalar value, alone and inside words, through whole tokenizers and through single stages.
// Digests cover 4,096 code points each, so that a failure names its range.
#include <algorithm>
#include <cstdio>
#include <functional>

#include "check.h"
#include "fixtures.h"
#include "tokenizer/stages.h"
#include "tokenizer/utf8.h"

namespace enc::test {
namespace {

constexpr uint32_t kChunk = 4096;

using AddToDigest = std::function<void(const std::string& character, Digest& digest)>;

/// Runs `add` over each chunk's characters and compares with a column of sweep.tsv.
void sweep(size_t column, const AddToDigest& add) {
  size_t num_characters = 0;
  for (const auto& row : read_table("sweep.tsv")) {
    const auto start = static_cast<uint32_t>(std::stoul(row[0], nullptr, 16));
    Digest digest;
    for (uint32_t c = start; c < start + kChunk; c++) {
      if (c >= 0xD800 && c < 0xE000) continue;
      std::string character;
      utf8::append(character, c);
      add(character, digest);
      num_characters++;
    }
    const bool same = digest.hex() == row[column];
    if (!same) std::fprintf(stderr, "U+%04X..U+%04X differ\n", start, start + kChunk - 1);
    CHECK(same);
  }
  CHECK(num_characters == 1112064);
}

std::string in_words(const std::string& c) {
  return "xA" + c + "b " + c;
}

void sweep_ids(const std::string& name, size_t column) {
  const auto tokenizer = load_tokenizer(name);
  sweep(column, [&](const std::string& c, Digest& digest) { digest.add(ids_of(*tokenizer, in_words(c))); });
}

/// U+1D165 and U+1D16D are marks of two classes that BertNormalizer keeps, so the order of marks shows.
void sweep_normalizer(const char* settings, size_t column) {
  const JsonDocument block(settings);
  const auto normalizer = make_normalizer(block.root());
  sweep(column, [&](const std::string& c, Digest& digest) {
    std::string normalized;
    normalizer->normalize(in_words(c) + "\U0001D165" + c + "\U0001D16D" + c, normalized);
    digest.add(normalized + "\n");
  });
}

TEST(sweep_uncased) {
  sweep_ids("wordpiece-uncased", 1);
}

TEST(sweep_cased) {
  sweep_ids("wordpiece-cased", 2);
}

TEST(sweep_normalizer_uncased) {
  sweep_normalizer(
      R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true})",
      3);
}

TEST(sweep_normalizer_accents_only) {
  sweep_normalizer(
      R"({"type": "BertNormalizer", "clean_text": false, "handle_chinese_chars": false, "strip_accents": true, "lowercase": false})",
      4);
}

TEST(sweep_normalizer_case_only) {
  sweep_normalizer(
      R"({"type": "BertNormalizer", "clean_text": false, "handle_chinese_chars": true, "strip_accents": false, "lowercase": true})",
      5);
}

TEST(sweep_pre_tokenizer) {
  const JsonDocument block(R"({"type": "BertPreTokenizer"})");
  const auto pre_tokenizer = make_pre_tokenizer(block.root());
  Words words;
  sweep(6, [&](const std::string& c, Digest& digest) {
    words.text = in_words(c);
    words.spans = {{0, static_cast<uint32_t>(words.text.size())}};
    pre_tokenizer->split(words);
    for (const Span& word : words.spans) digest.add(std::string(words[word]) + "\n");
  });
}

TEST(sweep_beside_added_tokens) {
  const auto tokenizer = Tokenizer::from_json(read_fixture("added-tokens.json"));
  sweep(7, [&](const std::string& c, Digest& digest) {
    digest.add(ids_of(*tokenizer, c + "<w>" + c + "<l>" + c));
  });
}

}  // namespace
}  // namespace enc::test
