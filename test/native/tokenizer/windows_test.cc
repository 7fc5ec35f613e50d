// Long texts in windows, and budgets of their own for the two texts of a pair.
#include "check.h"
#include "enc/error.h"
#include "fixtures.h"
#include "tokenizer/truncation.h"

namespace enc::test {
namespace {

std::string numbered_words(int count) {
  std::string text;
  for (int i = 0; i < count; i++) text += "word" + std::to_string(i % 97) + " ";
  return text;
}

/// The ids of a text without its control tokens.
std::vector<int32_t> content_of(const Tokenizer& tokenizer, std::string_view text) {
  const auto all = ids_of(tokenizer, text);
  return {all.begin() + 1, all.end() - 1};
}

std::vector<int32_t> slice(const std::vector<int32_t>& ids, size_t begin, size_t end) {
  return {ids.begin() + static_cast<ptrdiff_t>(begin), ids.begin() + static_cast<ptrdiff_t>(end)};
}

std::vector<int32_t> joined(std::initializer_list<std::vector<int32_t>> parts) {
  std::vector<int32_t> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// Overflowing tokens with a stride, as tokenizers 0.23.2 gives them: rows of windows.tsv are the digest
/// of every window's ids.
TEST(windows_are_those_of_the_stride) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  size_t num_cases = 0, num_windows = 0;
  std::vector<std::string> texts;
  for (const auto& row : read_table("windows.tsv")) {
    if (row[0] == "text") {
      texts.push_back(unescape(row[1]));
      continue;
    }
    num_cases++;
    EncodeOptions options;
    options.special_tokens = SpecialTokens::kParse;
    options.max_length = std::stoul(row[3]);
    options.overlap = std::stoul(row[4]);
    options.windows = row[5] == "only_second" ? WindowedText::kSecond : WindowedText::kFirst;
    std::optional<std::string_view> pair;
    if (row[2] != "-") pair = texts[std::stoul(row[2])];
    std::vector<Window> windows;
    tokenizer->encode_windows(texts[std::stoul(row[1])], pair, options, windows);
    CHECK(windows.size() + 6 == row.size());
    for (size_t w = 0; w < std::min(windows.size(), row.size() - 6); w++) {
      CHECK(digest_of(windows[w].encoding.ids) == row[6 + w]);
      CHECK(windows[w].encoding.ids.size() <= options.max_length && !windows[w].encoding.truncated);
    }
    num_windows += windows.size();
  }
  CHECK(num_cases >= 100);
  CHECK(num_windows >= 1000);
}

TEST(windows_cover_the_text) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  const std::string text = numbered_words(300);
  const auto content = content_of(*tokenizer, text);
  EncodeOptions options;
  options.windows = WindowedText::kFirst;
  std::vector<Window> windows;
  for (const size_t max_length : {size_t{3}, size_t{4}, size_t{64}, size_t{512}, content.size() + 2}) {
    for (const size_t overlap : {size_t{0}, size_t{1}, size_t{20}, size_t{100000}}) {
      options.max_length = max_length;
      options.overlap = overlap;
      tokenizer->encode_windows(text, std::nullopt, options, windows);
      const size_t room = max_length - 2;
      CHECK(windows.front().begin == 0 && windows.back().end == content.size());
      for (size_t w = 0; w < windows.size(); w++) {
        const auto& [encoding, begin, end] = windows[w];
        CHECK(w == 0 || begin == windows[w - 1].end - std::min(overlap, room / 2));
        CHECK(end - begin == room || w + 1 == windows.size());
        CHECK(encoding.ids == joined({{2}, slice(content, begin, end), {3}}) && !encoding.truncated);
      }
    }
  }
}

TEST(windows_keep_the_other_text_whole_while_it_takes_at_most_half) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  const std::string document = numbered_words(100);
  const auto content = content_of(*tokenizer, document);
  const auto check = [&](const std::string& query, size_t kept) {
    const auto query_ids = content_of(*tokenizer, query);
    EncodeOptions options;
    options.windows = WindowedText::kSecond;
    options.max_length = 23;  // 20 for text
    options.overlap = 3;
    std::vector<Window> windows;
    tokenizer->encode_windows(query, document, options, windows);
    for (const auto& [encoding, begin, end] : windows) {
      CHECK(encoding.ids == joined({{2}, slice(query_ids, 0, kept), {3}, slice(content, begin, end), {3}}));
      CHECK(encoding.type_ids.front() == 0 && encoding.type_ids.back() == 1);
      CHECK(encoding.truncated == (kept < query_ids.size()));
    }
    CHECK(windows.back().end == content.size());
  };
  check("a b c", 3);
  check("a b c d e f g h i j", 10);
  check("a b c d e f g h i j k l", 10);
  check("", 0);
}

TEST(windows_can_be_few_and_say_so) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  EncodeOptions options;
  options.windows = WindowedText::kSecond;  // names the only text there is
  options.max_length = 12;
  options.max_windows = 2;
  std::vector<Window> windows;
  tokenizer->encode_windows(numbered_words(100), std::nullopt, options, windows);
  CHECK(windows.size() == 2 && windows[0].encoding.truncated && windows[1].end == 20);
  options.max_windows = SIZE_MAX;
  options.max_first = 25;
  tokenizer->encode_windows(numbered_words(100), std::nullopt, options, windows);
  CHECK(windows.size() == 3 && windows[2].encoding.truncated && windows[2].end == 25);
  tokenizer->encode_windows("", std::nullopt, options, windows);
  CHECK(windows.size() == 1 && windows[0].encoding.ids.size() == 2 && !windows[0].encoding.truncated);
  options.max_length = 2;
  CHECK_THROWS_CODE(tokenizer->encode_windows("a", std::nullopt, options, windows), ErrorCode::input_invalid);
}

TEST(budgets_of_the_two_texts) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  const std::string words = numbered_words(50);
  const auto content = content_of(*tokenizer, words);
  EncodeOptions options;
  options.max_length = 40;
  options.max_first = 5;
  Encoding out;
  tokenizer->encode(words, words, options, out);
  CHECK(out.ids == joined({{2}, slice(content, 0, 5), {3}, slice(content, 0, 32), {3}}) && out.truncated);
  options.max_second = 7;
  tokenizer->encode(words, words, options, out);
  CHECK(out.ids == joined({{2}, slice(content, 0, 5), {3}, slice(content, 0, 7), {3}}) && out.truncated);
  options.side = TruncationSide::kLeft;
  tokenizer->encode(words, words, options, out);
  const size_t n = content.size();
  CHECK(out.ids == joined({{2}, slice(content, n - 5, n), {3}, slice(content, n - 7, n), {3}}));
  tokenizer->encode("a b c d e", "a b c", options, out);
  CHECK(out.ids.size() == 11 && !out.truncated);
}

}  // namespace
}  // namespace enc::test
