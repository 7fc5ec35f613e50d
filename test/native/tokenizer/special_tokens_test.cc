// What "[SEP]" in a user's text becomes.
#include <algorithm>

#include "check.h"
#include "enc/error.h"
#include "fixtures.h"

namespace enc::test {
namespace {

TEST(special_tokens_three_ways) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  const std::string text = "good[SEP]bad";
  const auto parsed = ids_of(*tokenizer, text, SpecialTokens::kParse);
  CHECK(std::count(parsed.begin(), parsed.end(), 3) == 2);
  const auto as_text = ids_of(*tokenizer, text, SpecialTokens::kText);
  CHECK(std::count(as_text.begin(), as_text.end(), 3) == 1 && as_text.back() == 3);
  CHECK(as_text == ids_of(*tokenizer, "good [ sep ] bad", SpecialTokens::kParse));
  CHECK_THROWS_CODE(ids_of(*tokenizer, text, SpecialTokens::kError), ErrorCode::input_invalid);
  CHECK(ids_of(*tokenizer, "good [sep] bad", SpecialTokens::kError) == as_text);
}

TEST(special_tokens_in_a_pair_and_beyond_the_cut) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  EncodeOptions options;
  options.special_tokens = SpecialTokens::kError;
  options.max_length = 5;
  Encoding out;
  CHECK_THROWS_CODE(tokenizer->encode("a", "b [MASK]", options, out), ErrorCode::input_invalid);
  CHECK_THROWS_CODE(tokenizer->encode("a b c d e f g h [CLS]", std::nullopt, options, out),
                    ErrorCode::input_invalid);
  tokenizer->encode("a", "b", options, out);
  CHECK(out.ids.size() == 5 && !out.truncated);
}

/// A control token that is spelt like a word is in the vocabulary too, and must not be reached through it.
TEST(special_tokens_spelt_like_words) {
  std::string json = small_tokenizer_json();
  json = replaced(json, R"("content": "[SEP]")", R"("content": "two")");
  json = replaced(json, R"("id": 2, "content")", R"("id": 4, "content")");
  const auto tokenizer = Tokenizer::from_json(json);
  CHECK(join(ids_of(*tokenizer, "one two", SpecialTokens::kParse)) == "1 3 4 2");
  CHECK(join(ids_of(*tokenizer, "one two", SpecialTokens::kText)) == "1 3 0 2");
  CHECK(join(ids_of(*tokenizer, "one TWO", SpecialTokens::kText)) == "1 3 0 2");
}

TEST(special_tokens_do_not_hide_ordinary_ones) {
  const auto tokenizer = Tokenizer::from_json(small_tokenizer_json());
  CHECK(tokenizer->vocab_size() == 10);
  CHECK(join(ids_of(*tokenizer, "one extra a", SpecialTokens::kText)) == "1 3 9 6 2");
  CHECK(join(ids_of(*tokenizer, "one Extra a", SpecialTokens::kText)) == "1 3 9 6 2");
  CHECK(join(ids_of(*tokenizer, "extras", SpecialTokens::kText)) == "1 0 2");
}

}  // namespace
}  // namespace enc::test
