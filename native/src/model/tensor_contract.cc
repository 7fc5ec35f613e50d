#include "model/tensor_contract.h"

#include "enc/error.h"
#include "model/stored_types.h"

namespace enc {
namespace {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = shape.size(); i-- > 0;) text += std::to_string(shape[i]) + (i == 0 ? "" : ", ");
  return text + "]";
}

/// The name of the same tensor in the layer before; empty in the first layer and outside of layers.
std::string name_in_layer_before(const std::string& name) {
  const std::string part = "blk.";
  const size_t begin = name.find(part);
  if (begin == std::string::npos) return {};
  const size_t number = begin + part.size();
  const size_t end = name.find('.', number);
  const int layer = std::stoi(name.substr(number, end - number));
  return layer == 0 ? "" : name.substr(0, number) + std::to_string(layer - 1) + name.substr(end);
}

}  // namespace

ggml_tensor* TensorContract::matrix(const std::string& name, int64_t columns, int64_t rows, bool widen_f16) {
  const GgufTensor& source = take(name, {columns, rows});
  const ggml_type type = widen_f16 && source.type == GGML_TYPE_F16 ? GGML_TYPE_F32 : source.type;
  return declare(source, ggml_new_tensor_2d(context_, type, columns, rows));
}

ggml_tensor* TensorContract::f32_matrix(const std::string& name, int64_t columns, int64_t rows) {
  const GgufTensor& source = take(name, {columns, rows});
  require_f32(source);
  return declare(source, ggml_new_tensor_2d(context_, GGML_TYPE_F32, columns, rows));
}

ggml_tensor* TensorContract::vector(const std::string& name, int64_t size) {
  const GgufTensor& source = take(name, {size});
  require_f32(source);
  return declare(source, ggml_new_tensor_1d(context_, GGML_TYPE_F32, size));
}

ggml_tensor* TensorContract::optional_bias(const std::string& name, int64_t size) {
  const bool is_there = has(name + ".bias");
  const std::string before = name_in_layer_before(name);
  if (!before.empty() && has(before + ".weight") && has(before + ".bias") != is_there) {
    throw Error(ErrorCode::tensor_missing, "'" + file_.path() + "' lacks the tensor '" +
                                               (is_there ? before : name) + ".bias', which the layer " +
                                               (is_there ? "after" : "before") + " it has");
  }
  return is_there ? vector(name + ".bias", size) : nullptr;
}

bool TensorContract::has_size(const std::string& name, int64_t size) const {
  const GgufTensor* tensor = file_.find_tensor(name);
  return tensor != nullptr && tensor->shape == std::vector<int64_t>{size};
}

Norm TensorContract::norm(const std::string& name, int64_t size, NormKind kind, float eps) {
  return {vector(name + ".weight", size), optional_bias(name, size), kind, eps};
}

Norm TensorContract::optional_norm(const std::string& name, int64_t size, NormKind kind, float eps) {
  return has(name + ".weight") ? norm(name, size, kind, eps) : Norm{};
}

Norm TensorContract::head_norm(const std::string& name, int64_t size, float eps) {
  return {vector(name + ".weight", size), nullptr, NormKind::kRms, eps};
}

Linear TensorContract::linear(const std::string& name, int64_t in, int64_t out) {
  Linear result;
  result.name = name;
  result.in = in;
  result.out = out;
  result.bias = optional_bias(name, out);
  if (table_ == nullptr) {
    result.weight = matrix(name + ".weight", in, out, true);
  } else {
    const GgufTensor& source = take(name + ".weight", {in, out});
    const bool is_rounded =
        f16_stands_for_blocks_ && source.type == GGML_TYPE_F16 && in % ggml_blck_size(GGML_TYPE_Q8_0) != 0;
    result.kernel = &table_->gemm(is_rounded ? kernels::WeightType::kQ8_0 : packed_type(source.type));
  }
  return result;
}

ggml_tensor* TensorContract::extra_vector(const char* name, int64_t size) {
  ggml_tensor* tensor = ggml_new_tensor_1d(context_, GGML_TYPE_F32, size);
  ggml_set_name(tensor, name);
  return tensor;
}

ggml_tensor* TensorContract::extra_matrix(const char* name, int64_t columns, int64_t rows) {
  ggml_tensor* tensor = ggml_new_tensor_2d(context_, GGML_TYPE_F32, columns, rows);
  ggml_set_name(tensor, name);
  return tensor;
}

const GgufTensor& TensorContract::take_f32(const std::string& name, const std::vector<int64_t>& shape) {
  const GgufTensor& source = take(name, shape);
  require_f32(source);
  return source;
}

void TensorContract::refuse_leftovers() const {
  for (const GgufTensor& tensor : file_.tensors()) {
    if (!taken_.contains(tensor.name)) {
      file_.malformed("it holds the tensor '" + tensor.name + "', which its hyperparameters do not call for");
    }
  }
}

const GgufTensor& TensorContract::take(const std::string& name, const std::vector<int64_t>& shape) {
  const GgufTensor* tensor = file_.find_tensor(name);
  if (tensor == nullptr) {
    throw Error(ErrorCode::tensor_missing,
                "'" + file_.path() + "' lacks the tensor '" + name + "' of shape " + shape_text(shape));
  }
  if (tensor->shape != shape) {
    throw Error(ErrorCode::tensor_shape_mismatch, "'" + file_.path() + "': tensor '" + name + "' has shape " +
                                                      shape_text(tensor->shape) + ", expected " +
                                                      shape_text(shape));
  }
  taken_.insert(name);
  return *tensor;
}

void TensorContract::require_f32(const GgufTensor& source) const {
  if (source.type == GGML_TYPE_F32) return;
  throw Error(ErrorCode::dtype_unsupported, "'" + file_.path() + "': tensor '" + source.name + "' is " +
                                                ggml_type_name(source.type) + "; it must be f32");
}

ggml_tensor* TensorContract::declare(const GgufTensor& source, ggml_tensor* tensor) {
  ggml_set_name(tensor, source.name.c_str());
  declared_.emplace_back(&source, tensor);
  return tensor;
}

}  // namespace enc
