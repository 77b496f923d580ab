// Leaves of a hash tree: SHA-256 of a salt and each block of 4 KiB, for many blocks in one call.
#pragma once

#include <napi.h>

namespace enigm {

// blockDigests(salt: Uint8Array, blocks: Uint8Array): Buffer of 32 bytes for each block
Napi::Value blockDigests(const Napi::CallbackInfo &info);

}  // namespace enigm
