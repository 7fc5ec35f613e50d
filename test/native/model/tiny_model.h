// The smallest GGUF file that loads and answers, tokenizer included.
#pragma once

#include <string>
#include <vector>

#include "gguf_builder.h"

namespace enc::test {

inline std::string tiny_tokenizer() {
  std::string vocab, added;
  const char* words[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##c", "the", "word"};
  for (int i = 0; i < 10; i++) {
    const std::string sep = i == 0 ? "" : ",";
    vocab += sep + "\"" + words[i] + "\":" + std::to_string(i);
    if (i < 5)
      added +=
          sep + "{\"id\":" + std::to_string(i) + ",\"content\":\"" + words[i] +
          "\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}";
  }
  const auto special = [](const char* id, int type) {
    return std::string("{\"SpecialToken\":{\"id\":\"") + id + "\",\"type_id\":" + std::to_string(type) + "}}";
  };
  const auto sequence = [](const char* id, int type) {
    return std::string("{\"Sequence\":{\"id\":\"") + id + "\",\"type_id\":" + std::to_string(type) + "}}";
  };
  const std::string one = special("[CLS]", 0) + "," + sequence("A", 0) + "," + special("[SEP]", 0);
  return "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[" + added +
         "],\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
         "\"strip_accents\":null,\"lowercase\":true},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
         "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[" +
         one + "],\"pair\":[" + one + "," + sequence("B", 1) + "," + special("[SEP]", 1) +
         "],\"special_tokens\":{\"[CLS]\":{\"id\":\"[CLS]\",\"ids\":[2],\"tokens\":[\"[CLS]\"]},\"[SEP]\":{"
         "\"id\":"
         "\"[SEP]\",\"ids\":[3],\"tokens\":[\"[SEP]\"]}}},\"decoder\":null,\"model\":{\"type\":\"WordPiece\","
         "\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,"
         "\"vocab\":{" +
         vocab + "}}}";
}

/// Adds tensors with counted weights to a file; `odd` has NaN for its first element.
struct TinyTensors {
  GgufBuilder& file;
  std::string odd;

  void add(const std::string& name, const std::vector<uint64_t>& shape) const {
    std::vector<float> data(shape[0] * (shape.size() > 1 ? shape[1] : 1));
    for (size_t i = 0; i < data.size(); i++) data[i] = float((i * 37 + name.size() * 11) % 64) / 64 - 0.4f;
    if (name == odd) data[0] = __builtin_nanf("");
    file.tensor(name, shape, data);
  }
  void linear(const std::string& name, uint64_t in, uint64_t out) const {
    add(name + ".weight", {in, out});
    add(name + ".bias", {out});
  }
};

/// Hidden size `hidden`, two heads, `layers` layers, and no head.
inline void add_tiny_encoder(GgufBuilder& file, const TinyTensors& tensors, uint32_t hidden, uint32_t layers,
                             const std::string& tokenizer = tiny_tokenizer()) {
  file.str("general.architecture", "bert")
      .u32("bert.embedding_length", hidden)
      .u32("bert.block_count", layers)
      .u32("bert.attention.head_count", 2)
      .u32("bert.feed_forward_length", 2 * hidden)
      .u32("bert.context_length", 16)
      .f32("bert.attention.layer_norm_epsilon", 1e-12f)
      .str("tokenizer.huggingface.json", tokenizer);
  const auto norm = [&](const std::string& name) {
    tensors.add(name + ".weight", {hidden});
    tensors.add(name + ".bias", {hidden});
  };
  tensors.add("token_embd.weight", {hidden, 10});
  tensors.add("position_embd.weight", {hidden, 16});
  tensors.add("token_types.weight", {hidden, 2});
  norm("token_embd_norm");
  for (uint32_t i = 0; i < layers; i++) {
    const std::string block = "blk." + std::to_string(i) + ".";
    tensors.linear(block + "attn_qkv", hidden, 3 * hidden);
    tensors.linear(block + "attn_output", hidden, hidden);
    norm(block + "attn_output_norm");
    tensors.linear(block + "ffn_up", hidden, 2 * hidden);
    tensors.linear(block + "ffn_down", 2 * hidden, hidden);
    norm(block + "layer_output_norm");
  }
}

/// The same with a head of two labels; the tensor `odd` has a NaN.
inline GgufBuilder tiny_model(uint32_t hidden = 8, uint32_t layers = 1, const std::string& odd = "") {
  GgufBuilder file;
  const TinyTensors tensors{file, odd};
  file.str("ggml_encoder.head.activation", "tanh").strs("bert.classifier.output_labels", {"no", "yes"});
  add_tiny_encoder(file, tensors, hidden, layers);
  tensors.linear("cls", hidden, hidden);
  tensors.linear("cls.output", hidden, 2);
  return file;
}

}  // namespace enc::test
