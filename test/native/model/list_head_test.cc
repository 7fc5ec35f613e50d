// Models that make vectors of the marks in a list: what shares their batches, and what their keys may not
// say.
#include <future>

#include "check.h"
#include "enc/error.h"
#include "enc/model.h"
#include "load_options.h"
#include "tiny_model.h"

namespace enc::test {
namespace {

constexpr uint32_t kHidden = 8, kSize = 5;
using Texts = std::vector<std::string>;

struct Keys {
  std::string pooling = "marks";
  bool causal = true;
  bool has_list = true;
  Texts pieces = {"the word the word the word ", "", "[MASK]"};
  Texts slots = {"documents", "query"};
  Texts item = {"the ", " ", "[PAD]"};
  std::string document_mark = "[PAD]", query_mark = "[MASK]";
  uint32_t max_documents = 3, max_tokens = 4;
  std::string decoder = R"({"type":"ByteLevel"})";
};

/// [PAD] behind each document and [MASK] behind the query.
std::string list_model(const Keys& keys = {}) {
  GgufBuilder file;
  const TinyTensors tensors{file, ""};
  // Without tokens around a text, and with a decoder.
  std::string tokenizer = tiny_tokenizer();
  const std::string none = "\"decoder\":null";
  const size_t processor = tokenizer.find("\"post_processor\":"), decoder = tokenizer.find(none);
  tokenizer.replace(processor, decoder + none.size() - processor,
                    "\"post_processor\":null,\"decoder\":" + keys.decoder);
  file.str("ggml_encoder.head.activation", "relu")
      .str("ggml_encoder.head.pooling", keys.pooling)
      .boolean("bert.attention.causal", keys.causal);
  if (keys.has_list) {
    file.strs("ggml_encoder.list.pieces", keys.pieces)
        .strs("ggml_encoder.list.slots", keys.slots)
        .strs("ggml_encoder.list.item", keys.item)
        .str("ggml_encoder.list.separator", "")
        .str("ggml_encoder.list.document_mark", keys.document_mark)
        .str("ggml_encoder.list.query_mark", keys.query_mark)
        .u32("ggml_encoder.list.max_documents", keys.max_documents)
        .u32("ggml_encoder.list.max_query_tokens", keys.max_tokens)
        .u32("ggml_encoder.list.max_document_tokens", keys.max_tokens);
  }
  add_tiny_encoder(file, tensors, kHidden, 2, tokenizer);
  tensors.linear("cls", kHidden, 6);
  tensors.linear("cls.output", 6, kSize);
  return file.build();
}

std::future<RunResult> start(Model& model, std::vector<Input> inputs, const Texts& documents) {
  auto promise = std::make_shared<std::promise<RunResult>>();
  EncodeOptions options;
  options.labels = documents;
  model.run(std::move(inputs), options, [promise](std::exception_ptr error, RunResult result) {
    if (error)
      promise->set_exception(error);
    else
      promise->set_value(std::move(result));
  });
  return promise->get_future();
}

std::vector<float> vectors(Model& model, const std::string& query, const Texts& documents) {
  return start(model, {{query, std::nullopt}}, documents).get().logits;
}

const std::vector<Texts> kLists = {{"a", "b"}, {"a", ""}, {"a"}, {"", "a"}, {"b", "b"}};

}  // namespace

TEST(list_models_give_vectors_of_documents_and_query) {
  const TemporaryFile file(list_model());
  const auto model = Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
  CHECK(model->info().list_documents == 3 && model->info().chat_template == "list");
  CHECK(model->info().labels.size() == 1);
  const std::vector<float> two = vectors(*model, "word", {"a", "b"});
  CHECK(two.size() == 3 * kSize);
  // No token sees what comes after it.
  const std::vector<float> other = vectors(*model, "word", {"a", "a"});
  CHECK(std::equal(two.begin(), two.begin() + kSize, other.begin()));
  CHECK(!std::equal(two.begin() + kSize, two.end(), other.begin() + kSize));
  CHECK(start(*model, {{"word", "a"}}, {}).get().logits == vectors(*model, "word", {"a"}));
  CHECK_THROWS_CODE(vectors(*model, "word", {}), ErrorCode::input_invalid);
  CHECK_THROWS_CODE(vectors(*model, "word", Texts(5, "a")), ErrorCode::input_too_long);
}

/// They share what they begin with, and a mark never lies in it.
TEST(list_models_give_a_list_the_same_vectors_whatever_shares_its_batch) {
  const TemporaryFile file(list_model());
  std::vector<std::vector<float>> alone;
  const auto one = Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
  for (const Texts& list : kLists) alone.push_back(vectors(*one, "b", list));
  for (const int threads : {1, 3}) {
    const auto model = Model::load(file.path(), options_for(KernelChoice::kAuto, threads));
    std::vector<std::future<RunResult>> calls;
    for (int round = 0; round < 6; round++) {
      for (const Texts& list : kLists)
        calls.push_back(start(*model, {{"b", std::nullopt}, {"b", std::nullopt}}, list));
    }
    for (size_t call = 0; call < calls.size(); call++) {
      std::vector<float> expected = alone[call % kLists.size()];
      expected.insert(expected.end(), alone[call % kLists.size()].begin(), alone[call % kLists.size()].end());
      CHECK(calls[call].get().logits == expected);
    }
  }
}

TEST(list_models_run_on_the_portable_graph) {
  const TemporaryFile file(list_model());
  const auto ours = Model::load(file.path(), options_for(KernelChoice::kAuto, 2));
  const auto portable = Model::load(file.path(), options_for(KernelChoice::kPortable, 2));
  for (const Texts& list : kLists) {
    const std::vector<float> expected = vectors(*ours, "b", list), found = vectors(*portable, "b", list);
    CHECK(found.size() == expected.size());
    for (size_t i = 0; i < expected.size(); i++)
      CHECK(std::abs(found[i] - expected[i]) < 1e-5f * (1 + std::abs(expected[i])));
  }
  CHECK(Model::estimate(file.path(), options_for(KernelChoice::kAuto, 1), 16).thread_bytes > 0);
}

TEST(list_models_are_refused_where_their_keys_contradict_each_other) {
  const auto load = [](const Keys& keys) {
    const TemporaryFile file(list_model(keys));
    Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
  };
  load({});
  CHECK_THROWS_CODE(load({.pooling = "last"}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.has_list = false}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.causal = false}), ErrorCode::architecture_unsupported);
  CHECK_THROWS_CODE(load({.pieces = {"", ""}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.slots = {"documents", "document"}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.slots = {"documents", "prompt"}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.slots = {"query", "query"}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.slots = {"documents", "documents"}}), ErrorCode::gguf_malformed);
  // The query's mark before the documents, twice, or not at all.
  CHECK_THROWS_CODE(load({.pieces = {"[MASK]", "", ""}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.pieces = {"", "[MASK]", "[MASK]"}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.pieces = {"", "", ""}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.pieces = {"", "", "[MASK] [PAD]"}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.item = {"", "", ""}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.item = {"[PAD]", "", "[PAD]"}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.item = {"", "[PAD]"}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.item = {"", "", std::string(5000, 'a') + "[PAD]"}}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.document_mark = ""}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.document_mark = "the word"}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.document_mark = "[MASK]"}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.max_documents = 0}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.max_documents = 65537}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.max_tokens = 1 << 21}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.decoder = "null"}), ErrorCode::tokenizer_unsupported);
}

}  // namespace enc::test
