// Linked into every binary that linux_musl.cmake makes: what Debian's libgcc_eh.a takes from glibc and musl
// does not have.
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <unwind.h>

/// As in glibc 2.35, where the unwinder asks for the object that a program counter lies in.
struct dl_find_object {
  unsigned long long flags;
  void* map_start;
  void* map_end;
  struct link_map* link_map;
  void* eh_frame;  ///< the object's PT_GNU_EH_FRAME
  unsigned long long reserved[7];
};

struct query {
  uintptr_t address;
  struct dl_find_object* result;
};

/// Ends the search, with 1, at the object whose segments hold the address and that has unwind tables.
static int visit(struct dl_phdr_info* info, size_t size, void* data) {
  (void)size;
  const struct query* query = data;
  uintptr_t start = UINTPTR_MAX, end = 0;
  void* eh_frame = NULL;
  int is_inside = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr)* header = &info->dlpi_phdr[i];
    const uintptr_t address = info->dlpi_addr + header->p_vaddr;
    if (header->p_type == PT_GNU_EH_FRAME) eh_frame = (void*)address;
    if (header->p_type != PT_LOAD) continue;
    if (query->address - address < header->p_memsz) is_inside = 1;
    if (address < start) start = address;
    if (address + header->p_memsz > end) end = address + header->p_memsz;
  }
  if (!is_inside || eh_frame == NULL) return 0;
  *query->result =
      (struct dl_find_object){.map_start = (void*)start, .map_end = (void*)end, .eh_frame = eh_frame};
  return 1;
}

__attribute__((visibility("hidden"))) int _dl_find_object(void* address, struct dl_find_object* result) {
  struct query query = {(uintptr_t)address, result};
  return dl_iterate_phdr(visit, &query) == 1 ? 0 : -1;
}

/// libgcc_eh.a takes the lack of it for a program without threads.
__attribute__((visibility("hidden"))) int __pthread_key_create(pthread_key_t* key,
                                                               void (*destructor)(void*)) {
  return pthread_key_create(key, destructor);
}

static _Unwind_Reason_Code stop(struct _Unwind_Context* context, void* data) {
  (void)context, (void)data;
  return _URC_NORMAL_STOP;
}

/// Every binary has an unwinder of its own, whose table of register sizes is filled when it first unwinds. An
/// exception that another binary's unwinder brings to a handler here would find it empty, and _Unwind_SetGR
/// would abort.
__attribute__((constructor)) static void prepare_unwinder(void) {
  _Unwind_Backtrace(stop, NULL);
}
