// What the loader of other systems does by itself: Node-API comes from the process, whatever its program's
// name, and the addon stays loaded.
#include <windows.h>

#include <delayimp.h>

#include <cstring>

namespace {

/// Electron, or a copy of node.exe under another name, exports the same functions.
FARPROC WINAPI find_host(unsigned event, PDelayLoadInfo info) {
  if (event != dliNotePreLoadLibrary || _stricmp(info->szDll, "node.exe") != 0) return nullptr;
  return reinterpret_cast<FARPROC>(GetModuleHandleW(nullptr));
}

/// Node unloads an addon with the last Worker that used it; code of ours may still be on a stack then.
const bool stays_loaded = [] {
  HMODULE self;
  const DWORD flags = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
  return GetModuleHandleExW(flags, reinterpret_cast<LPCWSTR>(&find_host), &self) != 0;
}();

}  // namespace

extern "C" {
PfnDliHook __pfnDliNotifyHook2 = find_host;
}
