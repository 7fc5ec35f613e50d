// The keys that hyperparameters are read from: ranges, words and arrays, each with the error that names the
// key.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "enc/error.h"
#include "model/gguf_file.h"
#include "model/hparams.h"

namespace enc {

/// Of one file.
class HparamsReader {
 public:
  explicit HparamsReader(const GgufFile& file)
      : file_(file), prefix_(file.string("general.architecture") + ".") {}

  const GgufFile& file() const { return file_; }
  bool has(const std::string& key) const { return file_.has(name(key)); }
  std::string name(const std::string& key) const {
    return key.starts_with("ggml_encoder.") ? key : prefix_ + key;
  }

  uint32_t integer(const std::string& key, uint64_t low, uint64_t high) const {
    const uint64_t value = file_.integer(name(key));
    require(key, value, low, high);
    return uint32_t(value);
  }
  uint32_t integer(const std::string& key, uint64_t low, uint64_t high, uint32_t fallback) const {
    return has(key) ? integer(key, low, high) : fallback;
  }

  float number(const std::string& key, double low, double high, float fallback) const {
    if (!has(key)) return fallback;
    const double value = file_.number(name(key));
    require(key, value, low, high);
    return float(value);
  }

  /// At most so many factors, each from 0 to 1000.
  std::vector<float> factors(const std::string& key, size_t max_count) const {
    std::vector<float> result;
    for (const double value : file_.numbers(name(key), max_count)) {
      require(key, value, 0.0, 1e3);
      result.push_back(float(value));
    }
    return result;
  }

  template <typename T>
  using Words = std::vector<std::pair<const char*, T>>;

  /// The value that `words` has for the key's text; its first entry when the key is absent.
  template <typename T>
  T word(const std::string& key, const Words<T>& words) const {
    if (!has(key)) return words.front().second;
    const std::string text = file_.string(name(key));
    for (const auto& [known, value] : words) {
      if (text == known) return value;
    }
    unsupported(key, text);
  }

  /// An activation as transformers calls it, or as one of `more`, which this key may have as well; its first
  /// entry when the key is absent, GELU when there is none.
  Activation activation(const std::string& key, Words<Activation> more = {}) const {
    more.insert(more.end(), {{"gelu", Activation::kGeluErf},
                             {"gelu_new", Activation::kGeluTanh},
                             {"gelu_pytorch_tanh", Activation::kGeluTanh},
                             {"relu", Activation::kRelu},
                             {"silu", Activation::kSilu},
                             {"swish", Activation::kSilu},
                             {"tanh", Activation::kTanh},
                             {"quick_gelu", Activation::kGeluQuick},
                             {"gelu_10", Activation::kGeluTen},
                             {"mish", Activation::kMish},
                             {"relu6", Activation::kRelu6},
                             {"relu2", Activation::kReluSquared},
                             {"linear", Activation::kNone}});
    return word<Activation>(key, more);
  }

  /// A number of tokens around each, itself in the middle.
  uint32_t width(const std::string& key, uint32_t fallback) const {
    const uint32_t tokens = integer(key, 1, 63, fallback);
    if (tokens % 2 == 0 && has(key))
      file_.malformed("'" + key + "' is even, so that no token stands in the middle");
    return tokens;
  }

  [[noreturn]] void unsupported(const std::string& key, const std::string& value) const {
    throw Error(ErrorCode::architecture_unsupported, "'" + file_.path() + "': " + name(key) + " is '" +
                                                         value + "', which this version does not run");
  }

 private:
  template <typename T>
  void require(const std::string& key, T value, T low, T high) const {
    if (value >= low && value <= high) return;
    file_.malformed("the key '" + name(key) + "' is " + std::to_string(value) + "; it must lie between " +
                    std::to_string(low) + " and " + std::to_string(high));
  }

  const GgufFile& file_;
  const std::string prefix_;
};

}  // namespace enc
