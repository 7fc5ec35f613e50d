// How much memory this process can still take before the kernel ends something, and giving some back.
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

/// Gives blocks that were freed back to the system where the allocator would keep them: glibc keeps up to
/// 32 MiB each, which is every matrix of most models, and more than the weights of one in all was seen.
void return_freed_memory();

}  // namespace enc
