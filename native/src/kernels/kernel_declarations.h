// Declares the symbol of every variant in kernels.inc, for the table, the tests and the benchmark.
#pragma once

#include <type_traits>

#include "kernels/kernel_table.h"

namespace enc::kernels {

/// The struct that describes an op's variants: the type of the table's member without its pointer.
#define ENC_KERNEL_TYPE(op) std::remove_pointer_t<decltype(KernelTable::op)>

#define KERNEL(op, isa) extern ENC_KERNEL_TYPE(op) op##_##isa;
#include "kernels/kernels.inc"
#undef KERNEL

}  // namespace enc::kernels
