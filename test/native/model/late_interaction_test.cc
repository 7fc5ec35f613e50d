// Models that compare the tokens of a query with those of a document: their scores, what shares their
// batches, and what their keys may not say.
#include "batch/late_interaction.h"

#include <cmath>
#include <future>

#include "check.h"
#include "enc/error.h"
#include "enc/model.h"
#include "load_options.h"
#include "tiny_model.h"

namespace enc::test {
namespace {

constexpr uint32_t kHidden = 8, kSize = 5;

struct Keys {
  std::string pooling = "tokens";
  std::string query_prefix = "a ", document_prefix = "b ";
  uint32_t query_length = 8, document_length = 12;
  bool expands = true;
  uint32_t expansion_id = 4, expansion_length = 8;
  bool attended = false;
  std::vector<int32_t> skip_ids = {8};
  bool skips_query = false, normalize = true, causal = false;
  std::string similarity = "maxsim";
  bool has_chat_template = false;
  std::string odd = "";
  std::string tokenizer = tiny_tokenizer();
};

/// Queries grow to eight tokens by [MASK]; "the" does not score in documents.
std::string interaction_model(const Keys& keys = {}) {
  GgufBuilder file;
  const TinyTensors tensors{file, keys.odd};
  const auto name = [](const char* key) { return std::string("ggml_encoder.interaction.") + key; };
  file.str("ggml_encoder.head.activation", "none")
      .str("ggml_encoder.head.pooling", keys.pooling)
      .boolean("bert.attention.causal", keys.causal)
      .str(name("query_prefix"), keys.query_prefix)
      .str(name("document_prefix"), keys.document_prefix)
      .u32(name("query_length"), keys.query_length)
      .u32(name("document_length"), keys.document_length)
      .i32s(name("skip_token_ids"), keys.skip_ids)
      .boolean(name("skips_query_tokens"), keys.skips_query)
      .boolean(name("normalize"), keys.normalize)
      .str(name("similarity"), keys.similarity);
  if (keys.expands) {
    file.u32(name("expansion_token_id"), keys.expansion_id)
        .u32(name("expansion_length"), keys.expansion_length)
        .boolean(name("expansion_attended"), keys.attended);
  }
  if (keys.has_chat_template) {
    file.strs("ggml_encoder.chat_template.pieces", {"", "", ""})
        .strs("ggml_encoder.chat_template.slots", {"query", "document"});
  }
  add_tiny_encoder(file, tensors, kHidden, 2, keys.tokenizer);
  tensors.linear("cls.output", kHidden, kSize);
  return file.build();
}

std::future<RunResult> start(Model& model, std::vector<Input> pairs, const EncodeOptions& options = {}) {
  auto promise = std::make_shared<std::promise<RunResult>>();
  model.run(std::move(pairs), options, [promise](std::exception_ptr error, RunResult result) {
    if (error)
      promise->set_exception(error);
    else
      promise->set_value(std::move(result));
  });
  return promise->get_future();
}

Encoding encode(Model& model, const Input& pair, const EncodeOptions& options = {}) {
  std::promise<TokenizeResult> promise;
  model.tokenize({pair}, options, [&promise](std::exception_ptr error, TokenizeResult result) {
    if (error)
      promise.set_exception(error);
    else
      promise.set_value(std::move(result));
  });
  return promise.get_future().get().encodings.front();
}

const std::vector<Input> kPairs = {{"word", "a b"},
                                   {"word", "the word bc a"},
                                   {"bc", "word word word"},
                                   {"word", ""},
                                   {"", "a"},
                                   {"bc", "the the"},
                                   {"the a bc", "b"},
                                   {"word", "bc bc bc bc bc bc bc bc"},
                                   {"word", "a b a"}};

std::vector<float> scores_of_each(Model& model) {
  std::vector<float> scores;
  for (const Input& pair : kPairs) scores.push_back(start(model, {pair}).get().logits.at(0));
  return scores;
}

}  // namespace

TEST(max_sim_adds_each_query_token_with_its_nearest) {
  const InteractionRule sum{.vector_size = 2, .skip_ids = {3, 7}};
  std::vector<float> query = {3, 4, 0, 2}, document = {1, 0, -6, 8, 0, -5};
  CHECK(prepare_vectors(query, sum) && prepare_vectors(document, sum));
  // (0.6, 0.8) is nearest to (-0.6, 0.8) or (1, 0), (0, 1) to (-0.6, 0.8).
  CHECK(std::fabs(max_sim(query, document, sum) - (0.6f + 0.8f)) < 1e-6f);
  CHECK(max_sim(query, {}, sum) == kNothingScores);
  const InteractionRule mean{.vector_size = 2, .normalizes = false, .averages = true};
  CHECK(std::fabs(max_sim(query, document, mean) - 0.7f) < 1e-6f);
  CHECK(max_sim(query, {}, mean) == kNothingScores / 2);
  std::vector<float> raw = {3, 4};
  CHECK(prepare_vectors(raw, mean) && raw[0] == 3);
  raw[1] = NAN;
  CHECK(!prepare_vectors(raw, mean));
  const std::vector<int32_t> ids = {2, 3, 7, 9};
  CHECK((scoring_tokens(ids, false, sum) == std::vector<int32_t>{0, 3}));
  CHECK(scoring_tokens(ids, true, sum).size() == 4);
}

TEST(interaction_reads_query_and_document_apart) {
  const TemporaryFile file(interaction_model());
  const auto model = Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
  CHECK(model->info().chat_template == "apart" && model->info().labels.size() == 1);
  const Encoding pair = encode(*model, {"word", "the a"});
  // [CLS] a word [SEP], four times [MASK]; [CLS] b the a [SEP].
  CHECK((pair.ids == std::vector<int32_t>{2, 5, 9, 3, 4, 4, 4, 4, 2, 6, 8, 5, 3}));
  CHECK(pair.query_tokens == 8 && pair.query_keys == 4 && !pair.truncated);
  // A control token in a text is text there, and one in a prefix is meant.
  CHECK(encode(*model, {"[MASK]", "a"}).query_keys > 4);
  const TemporaryFile marked(interaction_model({.query_prefix = "[PAD] "}));
  const auto other = Model::load(marked.path(), options_for(KernelChoice::kAuto, 1));
  CHECK(encode(*other, {"word", "a"}).ids[1] == 0);
  const Encoding cut = encode(*model, {"word word word word word word word", "a"});
  CHECK(cut.truncated && cut.query_tokens == 8 && cut.query_keys == 8 && cut.ids[7] == 3);
  EncodeOptions options;
  options.max_second = 2;
  const Encoding limited = encode(*model, {"word", "a a a a"}, options);
  CHECK(limited.truncated && limited.ids.size() == 8 + 5);
  // Such a limit stands for the model's own.
  options.max_first = 10;
  const Encoding longer = encode(*model, {"word word word word word word word word", "a"}, options);
  CHECK(!longer.truncated && longer.query_tokens == 11 && longer.query_keys == 11);
  options = {};
  options.side = TruncationSide::kLeft;
  const Encoding end = encode(*model, {"word word word word b word a a a", "a"}, options);
  CHECK(end.truncated);
  CHECK((std::vector<int32_t>(end.ids.begin(), end.ids.begin() + 8) ==
         std::vector<int32_t>{2, 5, 6, 9, 5, 5, 5, 3}));
  options = {};
  options.max_length = 5;
  CHECK(encode(*model, {"word", "a a a a"}, options).ids.size() == 8 + 5);
  CHECK_THROWS_CODE(encode(*model, {"word", std::nullopt}), ErrorCode::input_invalid);
  options = {};
  options.prompt = "a";
  CHECK_THROWS_CODE(encode(*model, {"word", "a"}, options), ErrorCode::input_invalid);
  options = {};
  options.special_tokens = SpecialTokens::kError;
  try {
    encode(*model, {"a [SEP]", "a"}, options);
    CHECK(false);
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("\"[SEP]\" at byte 2;") != std::string::npos);
  }
  options = {};
  options.strategy = TruncationStrategy::kOnlySecond;
  CHECK_THROWS_CODE(encode(*model, {"word", "a"}, options), ErrorCode::input_invalid);
  options = {};
  options.windows = WindowedText::kSecond;
  CHECK_THROWS_CODE(start(*model, {{"word", "a"}}, options).get(), ErrorCode::input_invalid);
}

TEST(interaction_gives_a_pair_the_same_score_whatever_shares_its_batch) {
  for (const bool attended : {false, true}) {
    const TemporaryFile file(interaction_model({.attended = attended}));
    const auto one = Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
    const std::vector<float> alone = scores_of_each(*one);
    for (const int threads : {1, 3}) {
      const auto model = Model::load(file.path(), options_for(KernelChoice::kAuto, threads));
      std::vector<std::future<RunResult>> calls;
      for (int round = 0; round < 6; round++) calls.push_back(start(*model, kPairs));
      for (auto& call : calls) CHECK(call.get().logits == alone);
    }
  }
}

TEST(interaction_runs_on_the_portable_graph) {
  for (const Keys& keys : {Keys{}, Keys{.attended = true}, Keys{.expands = false}, Keys{.causal = true},
                           Keys{.skips_query = true, .normalize = false, .similarity = "meanmaxsim"}}) {
    const TemporaryFile file(interaction_model(keys));
    const auto ours = Model::load(file.path(), options_for(KernelChoice::kAuto, 2));
    const auto portable = Model::load(file.path(), options_for(KernelChoice::kPortable, 2));
    const std::vector<float> expected = scores_of_each(*ours), found = start(*portable, kPairs).get().logits;
    CHECK(found.size() == expected.size());
    for (size_t i = 0; i < expected.size(); i++)
      CHECK(std::fabs(found[i] - expected[i]) < 1e-5f * (1 + std::fabs(expected[i])));
    CHECK(Model::estimate(file.path(), options_for(KernelChoice::kAuto, 1), 16).thread_bytes > 0);
  }
}

/// Where neither tokenizer nor prefix add a token to an empty text.
TEST(interaction_scores_texts_without_tokens) {
  std::string bare = tiny_tokenizer();
  const size_t begin = bare.find("{\"type\":\"TemplateProcessing\""), end = bare.find(",\"decoder\"");
  bare.replace(begin, end - begin, "null");
  const std::vector<Input> pairs = {{"word", "a b"}, {"word", ""}, {"", "a b"}, {"", ""}, {"bc", "the word"}};
  for (const bool expands : {false, true}) {
    const TemporaryFile file(interaction_model(
        {.query_prefix = "", .document_prefix = "", .expands = expands, .tokenizer = bare}));
    for (const KernelChoice kernels : {KernelChoice::kAuto, KernelChoice::kPortable}) {
      const auto model = Model::load(file.path(), options_for(kernels, 1));
      CHECK(encode(*model, {"", "a"}).query_keys == (expands ? 8 : 0));
      const std::vector<float> together = start(*model, pairs).get().logits;
      CHECK(together.size() == pairs.size());
      for (size_t i = 0; i < pairs.size(); i++)
        CHECK(together[i] == start(*model, {pairs[i]}).get().logits.at(0));
      CHECK(together[1] == kNothingScores && together[3] == kNothingScores);
      CHECK((together[2] == 0) == !expands);
    }
  }
}

/// What only sees changes nothing for the others, and is changed by them.
TEST(interaction_hides_what_queries_are_expanded_by) {
  const auto score = [](const Keys& keys, const Input& pair) {
    const TemporaryFile file(interaction_model(keys));
    return start(*Model::load(file.path(), options_for(KernelChoice::kAuto, 1)), {pair}).get().logits.at(0);
  };
  const Input pair{"word", "a b"};
  const float hidden = score({}, pair), seen = score({.attended = true}, pair),
              none = score({.expands = false}, pair);
  CHECK(hidden != seen && hidden != none);
  // Of documents that have no token left nothing counts.
  CHECK(score({.skip_ids = {2, 3, 6, 8}}, {"word", "the"}) == kNothingScores);
  CHECK(score({.skip_ids = {2, 3, 4, 5, 6, 8, 9}, .skips_query = true}, {"word", "the"}) == kNothingScores);
}

TEST(interaction_tells_scores_that_are_not_finite) {
  const TemporaryFile file(interaction_model({.odd = "cls.output.weight"}));
  const auto model = Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
  CHECK_THROWS_CODE(start(*model, {{"word", "a"}}).get(), ErrorCode::weights_not_finite);
}

TEST(interaction_is_refused_where_keys_contradict_each_other) {
  const auto load = [](const Keys& keys) {
    const TemporaryFile file(interaction_model(keys));
    Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
  };
  load({});
  CHECK_THROWS_CODE(load({.has_chat_template = true}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.pooling = "marks"}), ErrorCode::architecture_unsupported);
  CHECK_THROWS_CODE(load({.query_prefix = std::string(5000, 'a')}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.expansion_id = 10}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.expansion_length = 0}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.expansion_length = 17}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.skip_ids = {-1}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.skip_ids = {10}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.similarity = "cosine"}), ErrorCode::gguf_malformed);
}

}  // namespace enc::test
