#include "model/weights.h"

#include <algorithm>
#include <unordered_set>

#include "enc/error.h"

namespace enc {
namespace {

/// Bytes of the file held while it is copied or packed.
constexpr size_t kChunkBytes = size_t(4) << 20;

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = shape.size(); i-- > 0;) text += std::to_string(shape[i]) + (i == 0 ? "" : ", ");
  return text + "]";
}

/// Takes tensors from the file by name, each at most once and only in the shape asked for.
class TensorContract {
 public:
  TensorContract(const GgufFile& file, ggml_context* context, const kernels::KernelTable* table)
      : file_(file), context_(context), table_(table) {}

  /// A matrix [rows, columns]; its type is the file's, except F16, which the CPU multiplies in f32.
  ggml_tensor* matrix(const std::string& name, int64_t columns, int64_t rows, bool widen_f16) {
    const GgufTensor& source = take(name, {columns, rows});
    const ggml_type type = widen_f16 && source.type == GGML_TYPE_F16 ? GGML_TYPE_F32 : source.type;
    return declare(source, ggml_new_tensor_2d(context_, type, columns, rows));
  }

  ggml_tensor* f32_matrix(const std::string& name, int64_t columns, int64_t rows) {
    const GgufTensor& source = take(name, {columns, rows});
    require_f32(source);
    return declare(source, ggml_new_tensor_2d(context_, GGML_TYPE_F32, columns, rows));
  }

  ggml_tensor* vector(const std::string& name, int64_t size) {
    const GgufTensor& source = take(name, {size});
    require_f32(source);
    return declare(source, ggml_new_tensor_1d(context_, GGML_TYPE_F32, size));
  }

  Norm norm(const std::string& name, int64_t size) {
    return {vector(name + ".weight", size), vector(name + ".bias", size)};
  }

  Linear linear(const std::string& name, int64_t in, int64_t out) {
    Linear result;
    result.in = in;
    result.out = out;
    result.bias = vector(name + ".bias", out);
    if (table_ == nullptr) {
      result.weight = matrix(name + ".weight", in, out, true);
    } else {
      const GgufTensor& source = take(name + ".weight", {in, out});
      result.kernel = &table_->gemm(weight_type(source.type));
    }
    return result;
  }

  void refuse_leftovers() const {
    for (const GgufTensor& tensor : file_.tensors()) {
      if (!taken_.contains(tensor.name)) {
        file_.malformed("it holds the tensor '" + tensor.name +
                        "', which its hyperparameters do not call for");
      }
    }
  }

  const std::vector<std::pair<const GgufTensor*, ggml_tensor*>>& declared() const { return declared_; }

 private:
  const GgufTensor& take(const std::string& name, const std::vector<int64_t>& shape) {
    const GgufTensor* tensor = file_.find_tensor(name);
    if (tensor == nullptr) {
      throw Error(ErrorCode::tensor_missing,
                  "'" + file_.path() + "' lacks the tensor '" + name + "' of shape " + shape_text(shape));
    }
    if (tensor->shape != shape) {
      throw Error(ErrorCode::tensor_shape_mismatch, "'" + file_.path() + "': tensor '" + name +
                                                        "' has shape " + shape_text(tensor->shape) +
                                                        ", expected " + shape_text(shape));
    }
    taken_.insert(name);
    return *tensor;
  }

  void require_f32(const GgufTensor& source) const {
    if (source.type == GGML_TYPE_F32) return;
    throw Error(ErrorCode::dtype_unsupported, "'" + file_.path() + "': tensor '" + source.name + "' is " +
                                                  ggml_type_name(source.type) + "; it must be f32");
  }

  ggml_tensor* declare(const GgufTensor& source, ggml_tensor* tensor) {
    ggml_set_name(tensor, source.name.c_str());
    declared_.emplace_back(&source, tensor);
    return tensor;
  }

  const GgufFile& file_;
  ggml_context* context_;
  const kernels::KernelTable* table_;
  std::unordered_set<std::string> taken_;
  std::vector<std::pair<const GgufTensor*, ggml_tensor*>> declared_;
};

/// Copies one tensor through a bounded buffer, widening F16 where the target is F32.
void read_into(const GgufFile& file, const GgufTensor& source, ggml_tensor* target,
               const std::function<bool()>& should_stop) {
  std::vector<char> chunk(size_t(std::min<uint64_t>(kChunkBytes, source.size_bytes)));
  std::vector<float> widened;
  for (uint64_t done = 0; done < source.size_bytes;) {
    if (should_stop()) throw Error(ErrorCode::aborted, "loading '" + file.path() + "' was aborted");
    const size_t count = size_t(std::min<uint64_t>(chunk.size(), source.size_bytes - done));
    file.read_tensor(source, done, chunk.data(), count);
    if (source.type == target->type) {
      ggml_backend_tensor_set(target, chunk.data(), done, count);
    } else {
      widened.resize(count / sizeof(ggml_fp16_t));
      ggml_fp16_to_fp32_row(reinterpret_cast<const ggml_fp16_t*>(chunk.data()), widened.data(),
                            int64_t(widened.size()));
      ggml_backend_tensor_set(target, widened.data(), done * 2, count * 2);
    }
    done += count;
  }
}

/// Reads a matrix a few rows at a time and packs them, so that the file's bytes are never held beside the
/// packed copy.
void pack_into(const GgufFile& file, const std::string& name, Linear& linear,
               const std::function<bool()>& should_stop) {
  const GgufTensor& source = *file.find_tensor(name);
  const size_t n = size_t(linear.out), k = size_t(linear.in);
  const size_t row_bytes = kernels::weight_row_bytes(weight_type(source.type), k);
  const size_t rows_at_once = std::clamp<size_t>(kChunkBytes / row_bytes, 1, n);
  linear.packed = AlignedBuffer(linear.kernel->packed_bytes(n, k));
  const AlignedBuffer rows(rows_at_once * row_bytes);
  for (size_t row = 0; row < n; row += rows_at_once) {
    if (should_stop()) throw Error(ErrorCode::aborted, "loading '" + file.path() + "' was aborted");
    const size_t count = std::min(rows_at_once, n - row);
    file.read_tensor(source, row * row_bytes, rows.data(), count * row_bytes);
    linear.kernel->pack(rows.data(), row, count, n, k, linear.packed.data());
  }
}

void pack_linears(const GgufFile& file, Weights& weights, const std::function<bool()>& should_stop) {
  const auto pack = [&](const std::string& name, Linear& linear) {
    pack_into(file, name + ".weight", linear, should_stop);
    weights.size_bytes += linear.packed.size();
  };
  for (size_t i = 0; i < weights.layers.size(); i++) {
    const std::string block = "blk." + std::to_string(i) + ".";
    pack(block + "attn_qkv", weights.layers[i].attn_qkv);
    pack(block + "attn_output", weights.layers[i].attn_output);
    pack(block + "ffn_up", weights.layers[i].ffn_up);
    pack(block + "ffn_down", weights.layers[i].ffn_down);
  }
  if (weights.pooler.kernel != nullptr) pack("cls", weights.pooler);
  pack("cls.output", weights.classifier);
}

}  // namespace

kernels::WeightType weight_type(ggml_type type) {
  switch (type) {
    case GGML_TYPE_F16:
      return kernels::WeightType::kF16;
    case GGML_TYPE_BF16:
      return kernels::WeightType::kBf16;
    case GGML_TYPE_Q8_0:
      return kernels::WeightType::kQ8_0;
    default:
      return kernels::WeightType::kF32;
  }
}

Weights load_weights(const GgufFile& file, const Hparams& h, ggml_backend_buffer_type_t buffer_type,
                     const kernels::KernelTable* table, const std::function<bool()>& should_stop) {
  Weights weights;
  const size_t max_tensors = 16 + size_t(h.num_layers) * 12;
  weights.context.reset(ggml_init({ggml_tensor_overhead() * max_tensors, nullptr, /*no_alloc=*/true}));
  if (!weights.context)
    throw Error(ErrorCode::out_of_memory, "no memory for the tensor table of '" + file.path() + "'");
  TensorContract contract(file, weights.context.get(), table);

  const int64_t hidden = h.hidden_size;
  weights.token_embd = contract.matrix("token_embd.weight", hidden, h.vocab_size, false);
  weights.position_embd = contract.f32_matrix("position_embd.weight", hidden, h.max_positions);
  if (h.num_token_types > 0) {
    weights.token_types = contract.f32_matrix("token_types.weight", hidden, h.num_token_types);
  }
  weights.embd_norm = contract.norm("token_embd_norm", hidden);
  for (uint32_t i = 0; i < h.num_layers; i++) {
    const std::string block = "blk." + std::to_string(i) + ".";
    LayerWeights layer;
    layer.attn_qkv = contract.linear(block + "attn_qkv", hidden, 3 * hidden);
    layer.attn_output = contract.linear(block + "attn_output", hidden, hidden);
    layer.attn_output_norm = contract.norm(block + "attn_output_norm", hidden);
    layer.ffn_up = contract.linear(block + "ffn_up", hidden, h.intermediate_size);
    layer.ffn_down = contract.linear(block + "ffn_down", h.intermediate_size, hidden);
    layer.layer_output_norm = contract.norm(block + "layer_output_norm", hidden);
    weights.layers.push_back(std::move(layer));
  }
  if (h.has_pooler) weights.pooler = contract.linear("cls", hidden, hidden);
  weights.classifier = contract.linear("cls.output", hidden, h.num_labels);
  contract.refuse_leftovers();

  weights.buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(weights.context.get(), buffer_type));
  if (!weights.buffer) {
    throw Error(ErrorCode::out_of_memory, "no memory for the weights of '" + file.path() + "'");
  }
  weights.size_bytes = ggml_backend_buffer_get_size(weights.buffer.get());
  for (const auto& [source, target] : contract.declared()) read_into(file, *source, target, should_stop);
  weights.linear_type = ggml_type_name(file.find_tensor("blk.0.attn_qkv.weight")->type);
  weights.compute_type = weights.linear_type == "f16" ? "f32" : weights.linear_type;
  if (table != nullptr) pack_linears(file, weights, should_stop);
  for (const GgufTensor& tensor : file.tensors()) weights.num_parameters += tensor.num_elements;
  file.check_unchanged();
  return weights;
}

}  // namespace enc
