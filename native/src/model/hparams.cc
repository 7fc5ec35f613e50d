#include "model/hparams.h"

#include <cmath>

#include "enc/error.h"

namespace enc {
namespace {

uint32_t in_range(const GgufFile& file, const std::string& key, uint64_t low, uint64_t high) {
  const uint64_t value = file.integer(key);
  if (value < low || value > high) {
    file.malformed("the key '" + key + "' is " + std::to_string(value) + "; it must lie between " +
                   std::to_string(low) + " and " + std::to_string(high));
  }
  return uint32_t(value);
}

[[noreturn]] void unsupported(const GgufFile& file, const std::string& key, const std::string& value) {
  throw Error(ErrorCode::architecture_unsupported,
              "'" + file.path() + "': " + key + " is '" + value + "', which this version does not run");
}

Activation hidden_activation(const GgufFile& file, const std::string& key) {
  const std::string name = file.string(key, "gelu");
  if (name == "gelu") return Activation::kGeluErf;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return Activation::kGeluTanh;
  if (name == "relu") return Activation::kRelu;
  if (name == "silu" || name == "swish") return Activation::kSilu;
  unsupported(file, key, name);
}

/// Every mechanism a file can name has one value here; any other is a model this graph would compute wrongly.
void require_mechanism(const GgufFile& file, const std::string& key, const std::string& supported) {
  const std::string name = file.string(key, supported);
  if (name != supported) unsupported(file, key, name);
}

}  // namespace

Hparams read_hparams(const GgufFile& file) {
  if (const uint64_t version = file.integer("ggml_encoder.format_version", 1); version != 1) {
    throw Error(
        ErrorCode::architecture_unsupported,
        "'" + file.path() + "' was written in format " + std::to_string(version) +
            " of ggml-encoder; this version reads format 1. Update the package or convert the model again");
  }
  const std::string prefix = file.string("general.architecture") + ".";
  Hparams h;
  h.hidden_size = in_range(file, prefix + "embedding_length", 1, 16384);
  h.num_layers = in_range(file, prefix + "block_count", 1, 256);
  h.num_heads = in_range(file, prefix + "attention.head_count", 1, 256);
  h.intermediate_size = in_range(file, prefix + "feed_forward_length", 1, 131072);
  h.max_positions = in_range(file, prefix + "context_length", 1, 1048576);
  if (h.hidden_size % h.num_heads != 0) {
    file.malformed("the hidden size " + std::to_string(h.hidden_size) + " is no multiple of the head count " +
                   std::to_string(h.num_heads));
  }
  const double eps = file.number(prefix + "attention.layer_norm_epsilon");
  if (!(eps >= 1e-13 && eps <= 1)) file.malformed("the layer norm epsilon is " + std::to_string(eps));
  h.layer_norm_eps = float(eps);
  if (file.boolean(prefix + "attention.causal", false))
    unsupported(file, prefix + "attention.causal", "true");
  h.hidden_activation = hidden_activation(file, prefix + "hidden_activation");
  require_mechanism(file, "ggml_encoder.position_kind", "absolute");
  require_mechanism(file, "ggml_encoder.norm_placement", "post");
  require_mechanism(file, "ggml_encoder.head.pooling", "cls");

  const GgufTensor* token_embd = file.find_tensor("token_embd.weight");
  if (token_embd == nullptr || token_embd->shape.size() != 2) {
    throw Error(ErrorCode::tensor_missing, "'" + file.path() + "' has no tensor token_embd.weight");
  }
  h.vocab_size = uint32_t(token_embd->shape[1]);
  if (const GgufTensor* types = file.find_tensor("token_types.weight"); types && types->shape.size() == 2) {
    h.num_token_types = uint32_t(types->shape[1]);
  }

  const GgufTensor* classifier = file.find_tensor("cls.output.weight");
  if (classifier == nullptr) {
    throw Error(ErrorCode::tensor_missing,
                "'" + file.path() +
                    "' has no classification head (cls.output.weight); convert a checkpoint "
                    "of a *ForSequenceClassification class");
  }
  h.num_labels = classifier->shape.size() > 1 ? uint32_t(classifier->shape[1]) : 1;
  if (h.num_labels > 65536) file.malformed("the head has " + std::to_string(h.num_labels) + " labels");
  h.has_pooler = file.find_tensor("cls.weight") != nullptr;
  const std::string pooler = file.string("ggml_encoder.head.activation", h.has_pooler ? "tanh" : "none");
  if (h.has_pooler != (pooler != "none"))
    file.malformed("the head activation '" + pooler + "' contradicts its tensors");
  if (pooler == "relu") {
    h.pooler_activation = Activation::kRelu;
  } else if (pooler == "gelu") {
    h.pooler_activation = Activation::kGeluErf;
  } else if (pooler != "tanh" && pooler != "none") {
    unsupported(file, "ggml_encoder.head.activation", pooler);
  }

  h.max_length = h.max_positions;
  if (file.has("ggml_encoder.max_length")) {
    h.max_length = std::min(h.max_length, in_range(file, "ggml_encoder.max_length", 3, 1048576));
  }
  return h;
}

}  // namespace enc
