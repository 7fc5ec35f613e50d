// What the linker's -z nodelete does on Linux.
#include <dlfcn.h>

namespace {

/// Node unloads an addon with the last Worker that used it; code of ours may still be on a stack then. Held
/// by one handle more than Node closes.
bool hold() {
  Dl_info self;
  return dladdr(reinterpret_cast<const void*>(&hold), &self) != 0 &&
         dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD) != nullptr;
}
const bool stays_loaded = hold();

}  // namespace
