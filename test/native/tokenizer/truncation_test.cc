// Pairs, and truncation by every strategy on both sides, against tokenizers 0.22.2.
#include <cstdio>

#include "check.h"
#include "enc/error.h"
#include "fixtures.h"
#include "tokenizer/truncation.h"

namespace enc::test {
namespace {

TruncationStrategy strategy_of(const std::string& name) {
  if (name == "only_first") return TruncationStrategy::kOnlyFirst;
  if (name == "only_second") return TruncationStrategy::kOnlySecond;
  return TruncationStrategy::kLongestFirst;
}

TEST(truncation_cases) {
  const auto uncased = load_tokenizer("wordpiece-uncased");
  const auto cased = load_tokenizer("wordpiece-cased");
  std::vector<std::string> texts;
  size_t num_cut = 0, num_errors = 0, num_cases = 0;
  for (const auto& row : read_table("truncation.tsv")) {
    if (row[0] == "text") {
      texts.push_back(unescape(row[1]));
      continue;
    }
    num_cases++;
    const Tokenizer& tokenizer = row[1] == "wordpiece-cased" ? *cased : *uncased;
    EncodeOptions options;
    options.special_tokens = SpecialTokens::kParse;
    options.max_length = std::stoul(row[4]);
    options.strategy = strategy_of(row[5]);
    options.side = row[6] == "left" ? TruncationSide::kLeft : TruncationSide::kRight;
    std::optional<std::string_view> pair;
    if (row[3] != "-") pair = texts[std::stoul(row[3])];
    Encoding out;
    const auto encode = [&] { tokenizer.encode(texts[std::stoul(row[2])], pair, options, out); };
    if (row[7] == "error") {
      CHECK_THROWS_CODE(encode(), ErrorCode::input_too_long);
      num_errors++;
      continue;
    }
    encode();
    const bool same = std::to_string(out.ids.size()) == row[7] && digest_of(out.ids) == row[8] &&
                      digest_of(out.type_ids) == row[9] && out.truncated == (row[10] == "1");
    if (!same)
      std::fprintf(stderr, "%s %s %s %s %s %s: %zu ids %s\n", row[1].c_str(), row[2].c_str(), row[3].c_str(),
                   row[4].c_str(), row[5].c_str(), row[6].c_str(), out.ids.size(), join(out.ids).c_str());
    CHECK(same);
    num_cut += out.truncated;
  }
  CHECK(num_cases >= 2000);
  CHECK(num_cut >= 500);
  CHECK(num_errors >= 50);
}

TEST(a_text_with_its_control_tokens_written_out_gets_no_others) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  EncodeOptions options;
  options.special_tokens = SpecialTokens::kParse;
  Encoding around, out;
  tokenizer->encode("one two three", std::nullopt, options, around);
  options.adds_special_tokens = false;
  tokenizer->encode("[CLS] one two three [SEP]", std::nullopt, options, out);
  CHECK(out.ids == around.ids);
  CHECK(out.type_ids == std::vector<int32_t>(out.ids.size(), 0));
  CHECK(!out.truncated);

  const std::vector<int32_t> whole = out.ids;
  options.max_length = 2;
  tokenizer->encode("[CLS] one two three [SEP]", std::nullopt, options, out);
  CHECK(out.truncated);
  CHECK(out.ids == std::vector<int32_t>(whole.begin(), whole.begin() + 2));
  options.side = TruncationSide::kLeft;
  tokenizer->encode("[CLS] one two three [SEP]", std::nullopt, options, out);
  CHECK(out.truncated);
  CHECK(out.ids == std::vector<int32_t>(whole.end() - 2, whole.end()));
  CHECK_THROWS_CODE(tokenizer->encode("one", "two", options, out), ErrorCode::input_invalid);
}

TEST(truncation_gives_the_odd_token_to_the_longer_text) {
  const auto check = [](size_t first, size_t second, size_t kept_first, size_t kept_second) {
    const Lengths kept = truncate({first, second}, true, 7, TruncationStrategy::kLongestFirst);
    CHECK(kept.first == kept_first && kept.second == kept_second);
  };
  check(10, 10, 3, 4);
  check(11, 10, 4, 3);
  check(10, 11, 3, 4);
  check(2, 10, 2, 5);
  check(10, 2, 5, 2);
  check(0, 10, 0, 7);
  check(3, 4, 3, 4);
}

TEST(truncation_gives_the_odd_token_to_the_first_text) {
  const auto check = [](size_t first, size_t second, size_t kept_first, size_t kept_second) {
    const Lengths kept =
        truncate({first, second}, true, 7, TruncationStrategy::kLongestFirst, OddToken::kFirst);
    CHECK(kept.first == kept_first && kept.second == kept_second);
  };
  check(10, 10, 4, 3);
  check(11, 10, 4, 3);
  check(10, 11, 4, 3);
  check(4, 4, 4, 3);
  check(4, 10, 4, 3);
  check(3, 10, 3, 4);
  check(2, 10, 2, 5);
  check(10, 2, 5, 2);
}

/// Stopping early at the right end must not show: both ways must give what the whole text gives.
TEST(truncation_of_long_texts) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  std::string text;
  for (int i = 0; i < 2000; i++) text += "word" + std::to_string(i % 97) + " ";
  const auto all = ids_of(*tokenizer, text);
  const std::vector<int32_t> content(all.begin() + 1, all.end() - 1);
  for (const size_t max_length : {4, 5, 127, 128, 511, 512}) {
    EncodeOptions options;
    options.max_length = max_length;
    Encoding out;
    tokenizer->encode(text, std::nullopt, options, out);
    CHECK(out.truncated && out.ids.size() == max_length);
    CHECK(std::equal(out.ids.begin(), out.ids.end() - 1, all.begin()));
    options.side = TruncationSide::kLeft;
    tokenizer->encode(text, std::nullopt, options, out);
    CHECK(std::equal(out.ids.begin() + 1, out.ids.end(), all.end() - static_cast<ptrdiff_t>(max_length) + 1));
    // The first text is one word longer, so it takes the odd token.
    options.side = TruncationSide::kRight;
    tokenizer->encode(text + "more", text, options, out);
    const size_t budget = max_length - 3;
    const auto first = static_cast<ptrdiff_t>(budget / 2 + budget % 2);
    CHECK(out.ids.size() == max_length);
    CHECK(std::equal(content.begin(), content.begin() + first, out.ids.begin() + 1));
    CHECK(out.ids[1 + static_cast<size_t>(first)] == 3);
  }
}

TEST(truncation_needs_room_for_text) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  EncodeOptions options;
  Encoding out;
  options.max_length = 2;
  CHECK_THROWS_CODE(tokenizer->encode("a", std::nullopt, options, out), ErrorCode::input_invalid);
  options.max_length = 3;
  tokenizer->encode("a b", std::nullopt, options, out);
  CHECK(out.ids.size() == 3);
  CHECK(out.truncated);
  CHECK_THROWS_CODE(tokenizer->encode("a", "b", options, out), ErrorCode::input_invalid);
}

}  // namespace
}  // namespace enc::test
