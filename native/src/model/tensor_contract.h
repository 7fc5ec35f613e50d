// The tensors that a file must hold, as a model's hyperparameters call for them: each is declared in a ggml
// context, checked for name, shape and type.
#pragma once

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/gguf_file.h"
#include "model/weights.h"

namespace enc {

/// Takes tensors from the file by name, each at most once and only in the shape asked for.
class TensorContract {
 public:
  TensorContract(const GgufFile& file, ggml_context* context, const kernels::KernelTable* table,
                 bool f16_stands_for_blocks)
      : file_(file), context_(context), table_(table), f16_stands_for_blocks_(f16_stands_for_blocks) {}

  /// A matrix [rows, columns]; its type is the file's, except F16, which the CPU multiplies in f32.
  ggml_tensor* matrix(const std::string& name, int64_t columns, int64_t rows, bool widen_f16);
  ggml_tensor* f32_matrix(const std::string& name, int64_t columns, int64_t rows);
  ggml_tensor* vector(const std::string& name, int64_t size);

  /// The bias of norms and linear layers is taken where the file has one: checkpoints differ in it, but not
  /// from layer to layer.
  Norm norm(const std::string& name, int64_t size, NormKind kind, float eps);
  Norm optional_norm(const std::string& name, int64_t size, NormKind kind, float eps);
  /// The RMS norm of a query's or key's head, or of all of them: without a bias.
  Norm head_norm(const std::string& name, int64_t size, float eps);
  Linear linear(const std::string& name, int64_t in, int64_t out);

  /// Whether the file has a vector of that name and size.
  bool has_size(const std::string& name, int64_t size) const;
  bool has(const std::string& name) const { return find(name) != nullptr; }
  /// Null when the file has none of that name.
  const GgufTensor* find(const std::string& name) const { return file_.find_tensor(name); }

  /// Tensors of the model's own, not the file's; the caller fills them.
  ggml_tensor* extra_vector(const char* name, int64_t size);
  ggml_tensor* extra_matrix(const char* name, int64_t columns, int64_t rows);

  /// Checks a tensor that is read into memory of the caller's own.
  const GgufTensor& take_f32(const std::string& name, const std::vector<int64_t>& shape);

  /// Throws Error(gguf_malformed) when the file holds a tensor that nobody took.
  void refuse_leftovers() const;

  const std::vector<std::pair<const GgufTensor*, ggml_tensor*>>& declared() const { return declared_; }

 private:
  /// The bias of the weight `name`. Throws Error(tensor_missing) where the layer before differs.
  ggml_tensor* optional_bias(const std::string& name, int64_t size);
  const GgufTensor& take(const std::string& name, const std::vector<int64_t>& shape);
  void require_f32(const GgufTensor& source) const;
  ggml_tensor* declare(const GgufTensor& source, ggml_tensor* tensor);

  const GgufFile& file_;
  ggml_context* context_;
  const kernels::KernelTable* table_;
  bool f16_stands_for_blocks_;
  std::unordered_set<std::string> taken_;
  std::vector<std::pair<const GgufTensor*, ggml_tensor*>> declared_;
};

}  // namespace enc
