#include "values.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "enc/error.h"

namespace enc::node {
namespace {

// The ceiling of the limit textBytes, which the TypeScript side enforces.
constexpr size_t kMaxTextBytes = size_t(128) << 20;

std::string to_text(Napi::Env env, napi_value value, uint32_t index) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    throw Napi::TypeError::New(env, "text " + std::to_string(index) + " is not a string");
  }
  if (length > kMaxTextBytes) {
    throw Error(ErrorCode::input_too_long, "text " + std::to_string(index) + " is " + std::to_string(length) +
                                               " bytes long; the limit is 128 MiB");
  }
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

/// Where the end begins that stays, and then begin and end of each part of the caller's.
WrittenOut to_parts(Napi::Value value) {
  const auto places = value.As<Napi::Uint32Array>();
  if (places.TypedArrayType() != napi_uint32_array || places.ElementLength() % 2 != 1)
    throw Napi::TypeError::New(value.Env(), "parts of a text are no Uint32Array of an odd length");
  WrittenOut parts;
  parts.end = places[size_t(0)];
  for (size_t i = 1; i < places.ElementLength(); i += 2) parts.callers.push_back({places[i], places[i + 1]});
  return parts;
}

std::string option(Napi::Object options, const char* name) {
  return options.Get(name).ToString().Utf8Value();
}

FileLimits to_file_limits(Napi::Object limits) {
  const auto value = [&](const char* name) { return uint64_t(limits.Get(name).ToNumber().Int64Value()); };
  FileLimits result;
  result.gguf_entries = value("ggufEntries");
  result.gguf_tensors = value("ggufTensors");
  result.gguf_string_bytes = value("ggufStringBytes");
  result.gguf_array_elements = value("ggufArrayElements");
  result.gguf_header_bytes = value("ggufHeaderBytes");
  result.memory_bytes = value("memoryBytes");
  return result;
}

/// Arrays in one buffer: a buffer of its own for each would take longer to make and to collect than all that
/// a short text's result holds.
class ArrayBuilder {
 public:
  template <typename... T>
  ArrayBuilder(Napi::Env env, const std::vector<T>&... values)
      : buffer_(Napi::ArrayBuffer::New(env, (0 + ... + padded_size(values)))) {}

  /// The next of the vectors that the constructor was given.
  template <typename T>
  Napi::Value add(const std::vector<T>& values) {
    auto array = Napi::TypedArrayOf<T>::New(buffer_.Env(), values.size(), buffer_, used_);
    if (!values.empty()) std::memcpy(array.Data(), values.data(), values.size() * sizeof(T));
    used_ += padded_size(values);
    return array;
  }

 private:
  template <typename T>
  static size_t padded_size(const std::vector<T>& values) {
    return (values.size() * sizeof(T) + 3) / 4 * 4;
  }

  Napi::ArrayBuffer buffer_;
  size_t used_ = 0;
};

}  // namespace

LoadOptions to_load_options(Napi::Object options) {
  LoadOptions result;
  result.device = option(options, "device");
  result.threads = options.Get("threads").ToNumber().Int32Value();
  result.kernels = option(options, "kernels") == "portable" ? KernelChoice::kPortable : KernelChoice::kAuto;
  result.limits = to_file_limits(options.Get("limits").As<Napi::Object>());
  return result;
}

std::vector<Input> to_inputs(Napi::Value texts_value, Napi::Value pairs_value) {
  const Napi::Env env = texts_value.Env();
  const auto texts = texts_value.As<Napi::Array>();
  const bool has_pairs = pairs_value.IsArray();
  const uint32_t count = texts.Length();
  if (has_pairs && pairs_value.As<Napi::Array>().Length() != count) {
    throw Napi::TypeError::New(env, "texts and pairs differ in length");
  }
  std::vector<Input> inputs(count);
  for (uint32_t i = 0; i < count; i++) {
    const Napi::HandleScope scope(env);
    inputs[i].text = to_text(env, texts.Get(i), i);
    if (!has_pairs) continue;
    const Napi::Value pair = pairs_value.As<Napi::Array>().Get(i);
    if (pair.IsTypedArray())
      inputs[i].parts = to_parts(pair);
    else if (!pair.IsNull())
      inputs[i].pair = to_text(env, pair, i);
  }
  return inputs;
}

EncodeOptions to_encode_options(Napi::Object options) {
  EncodeOptions result;
  if (const int64_t max_length = options.Get("maxLength").ToNumber().Int64Value(); max_length > 0) {
    result.max_length = size_t(max_length);
  }
  const auto limit = [&](const char* name) {
    const int64_t value = options.Get(name).ToNumber().Int64Value();
    return value > 0 ? size_t(value) : SIZE_MAX;
  };
  result.max_first = limit("maxTextTokens");
  result.max_second = limit("maxTextPairTokens");
  const std::string windows = option(options, "windows");
  if (windows == "text") result.windows = WindowedText::kFirst;
  if (windows == "textPair") result.windows = WindowedText::kSecond;
  result.overlap = size_t(std::max<int64_t>(0, options.Get("overlap").ToNumber().Int64Value()));
  result.max_windows = limit("maxWindows");
  result.inputs_before = size_t(std::max<int64_t>(0, options.Get("inputsBefore").ToNumber().Int64Value()));
  const std::string strategy = option(options, "truncation");
  if (strategy == "only_first") result.strategy = TruncationStrategy::kOnlyFirst;
  if (strategy == "only_second") result.strategy = TruncationStrategy::kOnlySecond;
  if (option(options, "truncationSide") == "left") result.side = TruncationSide::kLeft;
  const std::string special = option(options, "specialTokens");
  if (special == "parse") result.special_tokens = SpecialTokens::kParse;
  if (special == "error") result.special_tokens = SpecialTokens::kError;
  result.prompt = option(options, "prompt");
  const auto labels = options.Get("labels").As<Napi::Array>();
  for (uint32_t i = 0; i < labels.Length(); i++)
    result.labels.push_back(labels.Get(i).ToString().Utf8Value());
  return result;
}

Napi::Array to_js(Napi::Env env, const std::vector<std::string>& strings) {
  auto array = Napi::Array::New(env, strings.size());
  for (size_t i = 0; i < strings.size(); i++) array.Set(uint32_t(i), strings[i]);
  return array;
}

Napi::Object to_js(Napi::Env env, const DeviceInfo& device) {
  auto object = Napi::Object::New(env);
  object.Set("id", device.id);
  object.Set("description", device.description);
  object.Set("available", Napi::Boolean::New(env, device.available));
  object.Set("reason", device.reason);
  object.Set("isa", to_js(env, device.isa));
  object.Set("memoryBytes", double(device.memory_bytes));
  return object;
}

Napi::Object to_js(Napi::Env env, const ModelInfo& info) {
  auto object = Napi::Object::New(env);
  object.Set("architecture", info.architecture);
  object.Set("sourceClass", info.source_class);
  object.Set("name", info.name);
  object.Set("labels", to_js(env, info.labels));
  object.Set("numLabels", double(info.labels.size()));
  object.Set("problemType", info.problem_type);
  object.Set("activationFn", info.activation_fn);
  object.Set("truncationSide", info.truncation_side);
  object.Set("promptNames", to_js(env, info.prompt_names));
  object.Set("promptTexts", to_js(env, info.prompt_texts));
  object.Set("defaultPrompt", info.default_prompt);
  object.Set("chatTemplate", info.chat_template);
  object.Set("chatSource", info.chat_source);
  object.Set("chatVariables", to_js(env, info.chat_variables));
  object.Set("chatValues", to_js(env, info.chat_values));
  object.Set("chatAnswer", info.chat_answer ? Napi::String::New(env, *info.chat_answer) : env.Null());
  object.Set("chatGenerationPrompt", Napi::Boolean::New(env, info.chat_generation_prompt));
  object.Set("readsLabels", Napi::Boolean::New(env, info.reads_labels));
  if (info.list_documents > 0) {
    auto list = Napi::Object::New(env);
    list.Set("maxDocuments", double(info.list_documents));
    list.Set("maxQueryTokens", double(info.list_query_tokens));
    list.Set("maxDocumentTokens", double(info.list_document_tokens));
    object.Set("list", list);
  } else {
    object.Set("list", env.Null());
  }
  object.Set("maxLength", double(info.max_length));
  object.Set("hiddenSize", double(info.hidden_size));
  object.Set("numLayers", double(info.num_layers));
  object.Set("numHeads", double(info.num_heads));
  object.Set("intermediateSize", double(info.intermediate_size));
  object.Set("vocabSize", double(info.vocab_size));
  object.Set("numParameters", double(info.num_parameters));
  object.Set("weightType", info.weight_type);
  object.Set("computeType", info.compute_type);
  object.Set("device", info.device);
  object.Set("kernels", info.kernels);
  object.Set("threads", double(info.threads));
  object.Set("weightBytes", double(info.weight_bytes));
  object.Set("warnings", to_js(env, info.warnings));
  return object;
}

Napi::Object to_js(Napi::Env env, const MemoryEstimate& estimate) {
  const bool is_known = estimate.available_bytes != std::numeric_limits<uint64_t>::max();
  auto object = Napi::Object::New(env);
  object.Set("weightBytes", double(estimate.weight_bytes));
  object.Set("bytesPerThread", double(estimate.thread_bytes));
  object.Set("threads", double(estimate.threads));
  object.Set("totalBytes", double(estimate.total_bytes));
  object.Set("availableBytes",
             is_known ? double(estimate.available_bytes) : std::numeric_limits<double>::infinity());
  return object;
}

Napi::Object to_js(Napi::Env env, const RunResult& result) {
  ArrayBuilder arrays(env, result.logits, result.tokens, result.truncated, result.window_offsets,
                      result.window_begins, result.window_ends);
  auto object = Napi::Object::New(env);
  object.Set("logits", arrays.add(result.logits));
  object.Set("tokens", arrays.add(result.tokens));
  object.Set("truncated", arrays.add(result.truncated));
  if (!result.window_offsets.empty()) {
    object.Set("windowOffsets", arrays.add(result.window_offsets));
    object.Set("windowBegins", arrays.add(result.window_begins));
    object.Set("windowEnds", arrays.add(result.window_ends));
  }
  return object;
}

Napi::Object to_js(Napi::Env env, const TokenizeResult& result) {
  std::vector<int32_t> ids, type_ids, offsets{0};
  std::vector<uint8_t> truncated;
  for (const Encoding& encoding : result.encodings) {
    ids.insert(ids.end(), encoding.ids.begin(), encoding.ids.end());
    type_ids.insert(type_ids.end(), encoding.type_ids.begin(), encoding.type_ids.end());
    offsets.push_back(int32_t(ids.size()));
    truncated.push_back(encoding.truncated ? 1 : 0);
  }
  ArrayBuilder arrays(env, ids, type_ids, offsets, truncated);
  auto object = Napi::Object::New(env);
  object.Set("ids", arrays.add(ids));
  object.Set("typeIds", arrays.add(type_ids));
  object.Set("offsets", arrays.add(offsets));
  object.Set("truncated", arrays.add(truncated));
  return object;
}

}  // namespace enc::node
