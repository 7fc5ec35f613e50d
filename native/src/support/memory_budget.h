// How much memory this process can still take before the kernel ends something.
#pragma once

#include <cstdint>
#include <string>

namespace enc {

/// Bytes: the least of what the machine has free (page cache counted as free), what each control group of the
/// process has left, and what RLIMIT_AS leaves. UINT64_MAX where nothing is known. `root` is for tests: see
/// for_each_cgroup().
uint64_t available_memory(const std::string& root = "");

/// What a model may plan with: 80 % of `available` less 64 MiB, since others allocate too and the estimate
/// does not see the heap's own losses.
uint64_t memory_allowance(uint64_t available);

}  // namespace enc
