// Extended grapheme clusters (UAX 29) with the tables of Hugging Face's library.
#pragma once

#include <cstddef>
#include <string_view>

namespace enc {

/// Where the cluster that begins at `begin` ends. `begin` < text.size() is the beginning of a cluster.
size_t cluster_end(std::string_view text, size_t begin);

}  // namespace enc
