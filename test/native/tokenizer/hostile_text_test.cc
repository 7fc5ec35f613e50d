// Texts made to be slow or to break something. A step that is quadratic in the text would take hours of
// processor time where a linear one takes a fraction of a second, so one bound far above any machine's share
// tells them apart.
#include <cstdio>
#include <ctime>
#include <thread>

#include "check.h"
#include "fixtures.h"

namespace enc::test {
namespace {

std::string repeated(std::string_view part, size_t bytes) {
  std::string text;
  text.reserve(bytes + part.size());
  while (text.size() < bytes) text += part;
  return text;
}

/// Processor time of this process, whose only thread this is: what else the machine does is not counted.
double seconds_for(const Tokenizer& tokenizer, const std::string& text) {
  const std::clock_t start = std::clock();
  ids_of(tokenizer, text);
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

/// 2 MiB take 0.02 to 0.3 s, and ten times that under a sanitizer.
void check_linear(const Tokenizer& tokenizer, std::string_view part) {
  const double seconds = seconds_for(tokenizer, repeated(part, size_t{2} << 20));
  const bool linear = seconds < 30;
  if (!linear) std::fprintf(stderr, "2 MiB of \"%.20s\": %.1f s\n", part.data(), seconds);
  CHECK(linear);
}

TEST(hostile_text_takes_linear_time) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  for (const char* part :
       {"a", " ", "[", "[SEP", "[SEP]", "\xCC\x81", "\xCC\x81\xCC\xA3", "\xE4\xB8\x80", "\xEA\xB0\x81", "!",
        "\xFF", "\xE2\x82", "\x01", "\xF0\x9D\x85\xA5\xF0\x9D\x85\xAD", "the quick brown fox ", "\xC4\xB0"})
    check_linear(*tokenizer, part);
}

TEST(hostile_text_beside_added_tokens) {
  const auto tokenizer = Tokenizer::from_json(read_fixture("added-tokens.json"));
  for (const char* part :
       {"<l>", "<r>", "<b> ", " ", "\t", "  <r>\t\t", "<wb> ", "a", "<y[SEP]", "abc", "\xE6\x97\xA5"})
    check_linear(*tokenizer, part);
  // One token that strips to its right, then nothing but white-space tokens.
  check_linear(*tokenizer, "\t\t\t");
  CHECK(seconds_for(*tokenizer, "<r>" + repeated("\t", size_t{1} << 20)) < 30);
}

/// Each scanner looks ahead; none may do so from every place of a text.
TEST(hostile_text_of_tweets) {
  const std::string block = R"({"type":"TweetNormalizer","emoji":{},"entities":{"amp":38}})";
  const auto tokenizer =
      Tokenizer::from_json(replaced(read_fixture("wordpiece-uncased/tokenizer.json"), R"("normalizer":{)",
                                    R"("normalizer":)" + block + R"(,"x":{)"));
  for (const char* part : {"a",
                           "a.",
                           "a-",
                           "1.",
                           "-.",
                           "(",
                           "()",
                           "(a",
                           "(a)",
                           "(a(b)",
                           ")",
                           "http:",
                           "http://",
                           "http:a(",
                           "http:a(b)]",
                           "http:/(",
                           "http://a(b(c)d)",
                           "www.",
                           "a.co",
                           "a.co/(",
                           "com/.",
                           "a@",
                           "a@b.",
                           "@a",
                           "#a'",
                           "##",
                           "+.",
                           "+1 ",
                           "1*-",
                           "(555)",
                           "<",
                           "<a",
                           "<-",
                           "->",
                           "&",
                           "&a",
                           "&amp;",
                           "&#38;",
                           ". ",
                           ".\n",
                           "'",
                           "a'",
                           "_'",
                           "p . m . ",
                           "n't ",
                           ":)",
                           "8",
                           "\xE2\x80\xA6",
                           "\xC4\xB0.",
                           "\xF0\x9F\x98\x80"})
    check_linear(*tokenizer, part);
}

TEST(hostile_text_of_four_mebibytes) {
  const auto tokenizer = load_tokenizer("wordpiece-cased");
  const std::string text = repeated("Tokenizer input 123, ", size_t{4} << 20);
  const auto all = ids_of(*tokenizer, text);
  CHECK(all.size() > 500000);
  EncodeOptions options;
  options.max_length = 512;
  Encoding out;
  tokenizer->encode(text, text, options, out);
  CHECK(out.ids.size() == 512 && out.truncated);
  CHECK(ids_of(*tokenizer, repeated("a", 1000000)).size() == 3);
  std::string zalgo = "a" + repeated("\xCC\x81", 20000) + "b";
  CHECK(ids_of(*load_tokenizer("wordpiece-uncased"), zalgo) ==
        ids_of(*load_tokenizer("wordpiece-uncased"), "ab"));
}

TEST(hostile_text_every_short_byte_string) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  const auto cased = load_tokenizer("wordpiece-cased");
  std::string text(3, '\0');
  for (int a = 0; a < 256; a++) {
    for (int b = 0; b < 256; b += 3) {
      for (int c = 0; c < 256; c += 17) {
        text = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
        CHECK(ids_of(*tokenizer, text).size() >= 2);
        CHECK(ids_of(*cased, text).size() >= 2);
      }
    }
  }
}

TEST(hostile_text_from_many_threads) {
  const auto tokenizer = load_tokenizer("wordpiece-uncased");
  const auto table = read_table("hard-strings.tsv");
  std::vector<std::thread> threads;
  std::vector<int> num_wrong(4);
  for (size_t t = 0; t < num_wrong.size(); t++)
    threads.emplace_back([&, t] {
      for (size_t i = t; i < table.size(); i += 3)
        num_wrong[t] += digest_of(ids_of(*tokenizer, unescape(table[i][1]))) != table[i][2];
    });
  for (auto& thread : threads) thread.join();
  for (const int wrong : num_wrong) CHECK(wrong == 0);
}

}  // namespace
}  // namespace enc::test
