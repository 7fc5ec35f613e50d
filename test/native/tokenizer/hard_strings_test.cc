// 5,760 strings of 24 kinds that tokenizers get wrong, against Hugging Face's ids; and every setting of the
// normalizer.
#include <cstdio>
#include <map>

#include "check.h"
#include "fixtures.h"
#include "tokenizer/stages.h"
#include "tokenizer/utf8.h"

namespace enc::test {
namespace {

const std::vector<std::vector<std::string>>& hard_strings() {
  static const auto table = read_table("hard-strings.tsv");
  return table;
}

/// Compares the strings' ids with digest column `column`, and with the ids two columns on where they are
/// written out.
void check_ids(const std::string& name, size_t column) {
  const auto tokenizer = load_tokenizer(name);
  size_t num_written_out = 0;
  for (const auto& row : hard_strings()) {
    const auto ids = ids_of(*tokenizer, unescape(row[1]));
    const bool same = digest_of(ids) == row[column];
    const bool written_out = row.size() > column + 2;
    if (!same) {
      std::fprintf(stderr, "%s, %s: %s\n  got    %s\n", name.c_str(), row[0].c_str(), row[1].c_str(),
                   join(ids).c_str());
      if (written_out) std::fprintf(stderr, "  wanted %s\n", row[column + 2].c_str());
    }
    CHECK(same);
    if (!written_out) continue;
    CHECK(join(ids) == row[column + 2]);
    num_written_out++;
  }
  CHECK(hard_strings().size() >= 5000);
  CHECK(num_written_out >= 300);
}

TEST(hard_strings_uncased) {
  check_ids("wordpiece-uncased", 2);
}

TEST(hard_strings_cased) {
  check_ids("wordpiece-cased", 3);
}

TEST(hard_strings_ids_are_below_vocab_size) {
  for (const char* name : {"wordpiece-uncased", "wordpiece-cased"}) {
    const auto tokenizer = load_tokenizer(name);
    CHECK(tokenizer->vocab_size() == (name == std::string("wordpiece-cased") ? 8000u : 7100u));
    for (const auto& row : hard_strings())
      for (const int32_t id : ids_of(*tokenizer, unescape(row[1]), SpecialTokens::kText))
        CHECK(id >= 0 && static_cast<size_t>(id) < tokenizer->vocab_size());
  }
}

TEST(normalizer_settings) {
  std::map<std::string, std::vector<std::string>> strings;
  for (const auto& row : hard_strings()) strings[row[0]].push_back(unescape(row[1]));
  size_t num_settings = 0;
  for (const auto& row : read_table("normalizer.tsv")) {
    const JsonDocument block(R"({"type": "BertNormalizer", "clean_text": )" + row[0] +
                             R"(, "handle_chinese_chars": )" + row[1] + R"(, "strip_accents": )" + row[2] +
                             R"(, "lowercase": )" + row[3] + "}");
    const auto normalizer = make_normalizer(block.root());
    Digest digest;
    for (const std::string& text : strings.at(row[4])) {
      std::string normalized, sanitized;
      normalizer->normalize(utf8::sanitize(text, sanitized), normalized);
      digest.add(normalized + "\n");
    }
    if (digest.hex() != row[5])
      std::fprintf(stderr, "normalizer %s %s %s %s differs on %s\n", row[0].c_str(), row[1].c_str(),
                   row[2].c_str(), row[3].c_str(), row[4].c_str());
    CHECK(digest.hex() == row[5]);
    num_settings++;
  }
  CHECK(num_settings == 24 * 24);
}

/// \w of Split's expressions (Oniguruma) has the Latin-1 numbers and no joiners, that of Whitespace (Rust)
/// the other way round. Ids of tokenizers 0.23.2.
TEST(words_of_split_and_of_whitespace) {
  const auto with = [](std::string_view pre_tokenizer) {
    return Tokenizer::from_json(
        replaced(small_tokenizer_json(), R"({"type": "BertPreTokenizer"})", pre_tokenizer));
  };
  const auto whitespace = with(R"({"type": "Whitespace"})");
  const auto split = with(
      R"({"type": "Split", "pattern": {"Regex": "\\w+|[^\\w\\s]+"}, "behavior": "Isolated", "invert": false})");
  for (const char* number : {"\u00B2", "\u00B3", "\u00B9", "\u00BC", "\u00BD", "\u00BE"}) {
    const std::string text = std::string("a") + number + "a";
    CHECK(join(ids_of(*whitespace, text)) == "1 6 0 6 2");
    CHECK(join(ids_of(*split, text)) == "1 0 2");
    // In a run of signs it is one of them.
    CHECK(join(ids_of(*split, std::string(".") + number)) == "1 0 2");
    CHECK(join(ids_of(*split, std::string(".") + number + "a")) == "1 0 6 2");
  }
}

}  // namespace
}  // namespace enc::test
