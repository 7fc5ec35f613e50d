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

Encoding encode_written_out(const Tokenizer& tokenizer, std::string_view text, const WrittenOut& parts,
                            const EncodeOptions& options = {}) {
  Encoding out;
  tokenizer.encode_written_out(text, parts, options, out);
  CHECK(out.type_ids == std::vector<int32_t>(out.ids.size(), 0));
  return out;
}

TEST(a_text_with_its_control_tokens_written_out_gets_no_others) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  constexpr std::string_view kText = "[CLS] one two three [SEP]";
  const WrittenOut whole{{}, uint32_t(kText.size())};
  EncodeOptions options;
  Encoding around;
  tokenizer->encode("one two three", std::nullopt, options, around);
  const Encoding out = encode_written_out(*tokenizer, kText, whole);
  CHECK(out.ids == around.ids);
  CHECK(!out.truncated);

  options.max_length = 2;
  const Encoding right = encode_written_out(*tokenizer, kText, whole, options);
  CHECK(right.truncated);
  CHECK(right.ids == std::vector<int32_t>(out.ids.begin(), out.ids.begin() + 2));
  options.side = TruncationSide::kLeft;
  const Encoding left = encode_written_out(*tokenizer, kText, whole, options);
  CHECK(left.truncated);
  CHECK(left.ids == std::vector<int32_t>(out.ids.end() - 2, out.ids.end()));
}

TEST(a_control_token_in_a_callers_part_is_what_the_options_say) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  constexpr std::string_view kText = "[CLS] a [SEP] b [SEP]";
  const WrittenOut parts{{{6, 15}}, uint32_t(kText.size())};
  EncodeOptions options;
  Encoding plain;
  tokenizer->encode("a [SEP] b", std::nullopt, options, plain);
  CHECK(encode_written_out(*tokenizer, kText, parts).ids == plain.ids);

  options.special_tokens = SpecialTokens::kParse;
  const WrittenOut none{{}, uint32_t(kText.size())};
  const Encoding parsed = encode_written_out(*tokenizer, kText, parts, options);
  CHECK(parsed.ids == encode_written_out(*tokenizer, kText, none).ids);
  CHECK(parsed.ids != plain.ids);
  options.special_tokens = SpecialTokens::kError;
  CHECK_THROWS_CODE(encode_written_out(*tokenizer, kText, parts, options), ErrorCode::input_invalid);
  encode_written_out(*tokenizer, kText, none, options);
}

TEST(the_end_of_a_text_with_control_tokens_stays_where_it_is_cut) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  constexpr std::string_view kText = "[CLS] one two three four [SEP] one [SEP]";
  const WrittenOut parts{{{6, 24}}, 25};
  const Encoding whole = encode_written_out(*tokenizer, kText, parts);
  EncodeOptions options;
  options.max_length = 5;
  const Encoding cut = encode_written_out(*tokenizer, kText, parts, options);
  CHECK(cut.truncated);
  CHECK(cut.ids.size() == 5);
  CHECK(std::equal(cut.ids.begin(), cut.ids.begin() + 2, whole.ids.begin()));
  CHECK(std::equal(cut.ids.end() - 3, cut.ids.end(), whole.ids.end() - 3));
  options.max_length = 3;
  CHECK_THROWS_CODE(encode_written_out(*tokenizer, kText, parts, options), ErrorCode::input_invalid);
}

TEST(parts_that_a_text_does_not_have_are_refused) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  for (const WrittenOut& parts : {WrittenOut{{}, 4}, WrittenOut{{{1, 4}}, 3}, WrittenOut{{{2, 2}}, 3},
                                  WrittenOut{{{0, 2}, {1, 3}}, 3}, WrittenOut{{{2, 1}}, 3}}) {
    CHECK_THROWS_CODE(encode_written_out(*tokenizer, "one", parts), ErrorCode::input_invalid);
  }
  CHECK_THROWS_CODE(encode_written_out(*tokenizer, "on\xff", {{}, 3}), ErrorCode::input_invalid);
  CHECK(!encode_written_out(*tokenizer, "one", {{{0, 3}}, 3}).ids.empty());
  CHECK(encode_written_out(*tokenizer, "", {}).ids.empty());
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
