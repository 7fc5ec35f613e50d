// The tensor types of ggml that model files hold, and what each becomes in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "ggml.h"
#include "kernels/gemm/gemm.h"

namespace enc {

/// Whether tensors with this number in the file's table can be read.
bool is_readable_type(uint32_t type);

/// Lower-case name, such as "q4_k".
std::string type_name(ggml_type type);

/// How our kernels name a type that they take as the file stores it; nothing for all others.
std::optional<kernels::WeightType> kernel_type(ggml_type type);

/// What the rows of a linear layer are packed from. Kernels exist for few types. q4_0 and q5_0 become q8_0,
/// whose blocks have the same scale and wider integers: each value stays. What has a minimum or scales within
/// its blocks becomes f16, which rounds by at most 2^-11 of a value, far less than the type itself did; none
/// is too small for it, since the factors of a block are f16 and are multiplied by integers.
kernels::WeightType packed_type(ggml_type type);

/// Rows of `k` elements as the file stores them to rows of `packed`, another type: packed_type(type), or for
/// f16 q8_0, whose last block may be filled in part and has zeros behind. A block of f16 with a value that is
/// no number is NaN as a whole. False when a value is too large for `packed`, as none of a trained model is;
/// `out` is then of no use.
bool convert_rows(ggml_type type, kernels::WeightType packed, const void* rows, size_t count, size_t k,
                  void* out);

/// What ggml's own CPU kernels compute products with this type in: the type that they round activations to.
std::string portable_compute_type(ggml_type type);

}  // namespace enc
