// How tests load a tiny model on the CPU.
#pragma once

#include "enc/model.h"

namespace enc::test {

inline LoadOptions options_for(KernelChoice kernels, int threads) {
  LoadOptions options;
  options.device = "cpu";
  options.kernels = kernels;
  options.threads = threads;
  return options;
}

}  // namespace enc::test
