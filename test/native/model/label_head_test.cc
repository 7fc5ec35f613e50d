// Models that read their labels in the text: calls with labels of their own share batches, and keep their
// scores.
#include <future>

#include "check.h"
#include "enc/error.h"
#include "enc/model.h"
#include "load_options.h"
#include "tiny_model.h"

namespace enc::test {
namespace {

constexpr uint32_t kHidden = 8;
using Labels = std::vector<std::string>;

struct Keys {
  std::string score = "product";
  bool labels_first = true;
  std::string tokens = "mark";
  std::string pooling = "cls";
  std::string separator = "[PAD]";
  uint32_t separator_id = 0;
  bool has_segments = true;
  bool has_pooler = false;
};

/// [MASK] before each label and [PAD] behind the last.
std::string label_model(const Keys& keys = {}) {
  GgufBuilder file;
  const TinyTensors tensors{file, ""};
  file.str("ggml_encoder.head.activation", keys.has_pooler ? "tanh" : "none")
      .str("ggml_encoder.head.pooling", keys.pooling)
      .str("ggml_encoder.labels.score", keys.score)
      .boolean("ggml_encoder.labels.first", keys.labels_first)
      .str("ggml_encoder.labels.tokens", keys.tokens)
      .boolean("ggml_encoder.labels.segments", keys.has_segments)
      .str("ggml_encoder.labels.mark", "[MASK]")
      .u32("ggml_encoder.labels.mark_token_id", 4)
      .str("ggml_encoder.labels.separator", keys.separator)
      .u32("ggml_encoder.labels.separator_token_id", keys.separator_id);
  add_tiny_encoder(file, tensors, kHidden, 2);
  for (const char* part : {"text", "label"}) {
    for (const char* index : {".0", ".1"})
      tensors.linear(std::string("labels.") + part + index, kHidden, kHidden);
  }
  uint64_t columns = kHidden;
  if (keys.score == "halves") {
    tensors.linear("labels.text_halves", kHidden, 2 * kHidden);
    tensors.linear("labels.label_halves", kHidden, 2 * kHidden);
  }
  if (keys.score == "layers" || keys.score == "halves") {
    tensors.linear("labels.hidden.0", (keys.score == "halves" ? 3 : 2) * kHidden, 12);
    tensors.linear("labels.hidden.1", 12, columns = 5);
  }
  if (keys.has_pooler) tensors.linear("cls", kHidden, kHidden);
  tensors.linear("cls.output", columns, 1);
  return file.build();
}

struct HeldKeys {
  std::string pooling = "text";
  std::string tokens = "held";
  bool labels_first = true;
  bool has_segments = false;
  uint64_t label_columns = 5;
  bool has_second = false;
};

/// One token for each of "-ab:;" and those of "b;" and ":a": "-a;-b;:" and the text, in which they join.
std::string held_model(const HeldKeys& keys = {}) {
  const std::string tokenizer =
      R"({"version": "1.0", "added_tokens": [], "normalizer": null,
      "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
      "post_processor": null, "decoder": null, "model": {"type": "BPE", "vocab": {"-": 0, "a": 1, "b": 2, ":": 3,
        ";": 4, "b;": 5, ":a": 6, "o": 7}, "merges": [["b", ";"], [":", "a"]]}})";
  GgufBuilder file;
  const TinyTensors tensors{file, ""};
  file.str("ggml_encoder.head.activation", "none")
      .str("ggml_encoder.head.pooling", keys.pooling)
      .str("ggml_encoder.head.norm_kind", "rms")
      .str("ggml_encoder.labels.score", "product")
      .boolean("ggml_encoder.labels.first", keys.labels_first)
      .str("ggml_encoder.labels.tokens", keys.tokens)
      .boolean("ggml_encoder.labels.segments", keys.has_segments)
      .str("ggml_encoder.labels.opening", "o")
      .str("ggml_encoder.labels.mark", "-")
      .str("ggml_encoder.labels.label_end", ";")
      .str("ggml_encoder.labels.separator", ":");
  add_tiny_encoder(file, tensors, kHidden, 2, tokenizer);
  tensors.linear("labels.text.0", kHidden, 5);
  tensors.linear("labels.label.0", kHidden, keys.label_columns);
  if (keys.has_second) tensors.linear("labels.text.1", kHidden, kHidden);
  tensors.add("labels.text_norm.weight", {5});
  tensors.add("labels.label_norm.weight", {5});
  tensors.linear("cls.output", 5, 1);
  return file.build();
}

std::future<RunResult> start(Model& model, const std::vector<std::string>& texts, const Labels& labels,
                             EncodeOptions options = {}) {
  auto promise = std::make_shared<std::promise<RunResult>>();
  std::vector<Input> inputs;
  for (const std::string& text : texts) inputs.push_back({text, std::nullopt});
  options.labels = labels;
  model.run(std::move(inputs), options, [promise](std::exception_ptr error, RunResult result) {
    if (error)
      promise->set_exception(error);
    else
      promise->set_value(std::move(result));
  });
  return promise->get_future();
}

const std::vector<std::string> kTexts = {"a b c the word", "", "word", "the the a b a b a b", "bc"};
const std::vector<Labels> kLabels = {{"a", "b the"}, {"word"}, {"the", "a", "bc"}};

}  // namespace

TEST(label_models_score_a_text_whatever_shares_its_batch) {
  for (const char* score : {"product", "layers", "halves"}) {
    for (const bool labels_first : {true, false}) {
      const TemporaryFile file(label_model({.score = score, .labels_first = labels_first, .tokens = "rest"}));
      std::vector<std::vector<float>> alone;
      const auto one = Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
      for (const Labels& labels : kLabels) {
        for (const std::string& text : kTexts) {
          alone.push_back(start(*one, {text}, labels).get().logits);
          CHECK(alone.back().size() == labels.size());
        }
      }
      for (const int threads : {1, 3}) {
        const auto model = Model::load(file.path(), options_for(KernelChoice::kAuto, threads));
        std::vector<std::future<RunResult>> calls;
        for (int round = 0; round < 4; round++) {
          for (const Labels& labels : kLabels) calls.push_back(start(*model, kTexts, labels));
        }
        for (size_t call = 0; call < calls.size(); call++) {
          const std::vector<float> logits = calls[call].get().logits;
          const size_t count = kLabels[call % kLabels.size()].size();
          CHECK(logits.size() == count * kTexts.size());
          for (size_t i = 0; i < logits.size(); i++)
            CHECK(logits[i] == alone[call % kLabels.size() * kTexts.size() + i / count][i % count]);
        }
      }
    }
  }
}

TEST(label_models_run_on_the_portable_graph) {
  for (const char* score : {"product", "layers", "halves"}) {
    for (const char* tokens : {"mark", "next", "span", "rest"}) {
      for (const char* pooling : {"cls", "separator"}) {
        const TemporaryFile file(label_model({.score = score, .tokens = tokens, .pooling = pooling}));
        const auto ours = Model::load(file.path(), options_for(KernelChoice::kAuto, 2));
        const auto portable = Model::load(file.path(), options_for(KernelChoice::kPortable, 2));
        for (const Labels& labels : {kLabels[2], Labels{"", "a"}, Labels{""}}) {
          const std::vector<float> expected = start(*ours, kTexts, labels).get().logits;
          const std::vector<float> logits = start(*portable, kTexts, labels).get().logits;
          CHECK(logits.size() == expected.size());
          for (size_t i = 0; i < expected.size(); i++)
            CHECK(std::abs(logits[i] - expected[i]) < 1e-5f * (1 + std::abs(expected[i])));
        }
      }
    }
  }
}

TEST(label_models_read_windows_with_all_labels) {
  const TemporaryFile file(label_model());
  const auto model = Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
  EncodeOptions options;
  options.max_length = 10;
  options.windows = WindowedText::kFirst;
  const RunResult result = start(*model, {"a b a b a b a b a b", "a"}, kLabels[0], options).get();
  CHECK(result.window_offsets.size() == 3);
  CHECK(result.window_offsets[1] > 2 && result.window_offsets[2] == result.window_offsets[1] + 1);
  CHECK(result.logits.size() == size_t(result.window_offsets[2]) * kLabels[0].size());
}

TEST(label_models_refuse_calls_that_they_cannot_read) {
  const TemporaryFile file(label_model());
  const auto model = Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
  CHECK_THROWS_CODE(start(*model, {"a"}, {}).get(), ErrorCode::input_invalid);
  CHECK_THROWS_CODE(start(*model, {"a"}, Labels(16, "a")).get(), ErrorCode::input_too_long);
  CHECK(start(*model, {"a"}, {"b"}).get().logits.size() == 1);
}

TEST(label_models_are_refused_where_their_keys_contradict_each_other) {
  const auto load = [](const Keys& keys) {
    const TemporaryFile file(label_model(keys));
    Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
  };
  load({});
  CHECK_THROWS_CODE(load({.score = "another"}), ErrorCode::architecture_unsupported);
  CHECK_THROWS_CODE(load({.tokens = "another"}), ErrorCode::architecture_unsupported);
  CHECK_THROWS_CODE(load({.pooling = "mean"}), ErrorCode::architecture_unsupported);
  CHECK_THROWS_CODE(load({.has_pooler = true}), ErrorCode::architecture_unsupported);
  CHECK_THROWS_CODE(load({.separator = "[UNK]"}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.separator_id = 10}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.score = "none", .pooling = "separator"}), ErrorCode::gguf_malformed);
}

namespace {

const std::vector<std::string> kHeldTexts = {"abab", "", "bb", "a", "ba"};
const std::vector<Labels> kHeldLabels = {{"a", "b"}, {"ab"}, {"b", "b", ""}};

}  // namespace

TEST(label_models_read_the_tokens_that_hold_labels_and_text) {
  const TemporaryFile file(held_model());
  const auto one = Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
  CHECK(one->info().reads_labels);
  std::vector<std::vector<float>> alone;
  for (const Labels& labels : kHeldLabels) {
    for (const std::string& text : kHeldTexts) {
      alone.push_back(start(*one, {text}, labels).get().logits);
      CHECK(alone.back().size() == labels.size());
    }
  }
  for (const KernelChoice kernels : {KernelChoice::kAuto, KernelChoice::kPortable}) {
    const auto model = Model::load(file.path(), options_for(kernels, 2));
    std::vector<std::future<RunResult>> calls;
    for (const Labels& labels : kHeldLabels) calls.push_back(start(*model, kHeldTexts, labels));
    for (size_t call = 0; call < calls.size(); call++) {
      const std::vector<float> logits = calls[call].get().logits;
      const size_t count = kHeldLabels[call].size();
      CHECK(logits.size() == count * kHeldTexts.size());
      for (size_t i = 0; i < logits.size(); i++) {
        const float expected = alone[call * kHeldTexts.size() + i / count][i % count];
        const float bound = kernels == KernelChoice::kAuto ? 0.0f : 1e-5f * (1 + std::abs(expected));
        CHECK(std::abs(logits[i] - expected) <= bound);
      }
    }
  }
  // Labels that are equal differ by where they stand, and texts by what they say.
  CHECK(alone[10][0] != alone[10][1] && alone[0][0] != alone[2][0]);
}

TEST(label_models_of_text_are_refused_where_their_keys_contradict_each_other) {
  const auto load = [](const HeldKeys& keys) {
    const TemporaryFile file(held_model(keys));
    Model::load(file.path(), options_for(KernelChoice::kAuto, 1));
  };
  load({});
  CHECK_THROWS_CODE(load({.pooling = "cls"}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.pooling = "mean"}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.tokens = "mark"}), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(load({.labels_first = false}), ErrorCode::architecture_unsupported);
  CHECK_THROWS_CODE(load({.has_segments = true}), ErrorCode::architecture_unsupported);
  CHECK_THROWS_CODE(load({.label_columns = 6}), ErrorCode::tensor_shape_mismatch);
  CHECK_THROWS_CODE(load({.has_second = true}), ErrorCode::tensor_shape_mismatch);
  CHECK_THROWS_CODE(
      [] {
        GgufBuilder file = tiny_model();
        file.str("ggml_encoder.head.pooling", "text");
        const TemporaryFile stored(file.build());
        Model::load(stored.path(), options_for(KernelChoice::kAuto, 1));
      }(),
      ErrorCode::gguf_malformed);
}

}  // namespace enc::test
