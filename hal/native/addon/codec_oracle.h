// `mu(name, bytes)`: one structure through libtss2-mu and back, to compare the TypeScript codec with.
#pragma once

#include <napi.h>

namespace enigm {

Napi::Value roundTrip(const Napi::CallbackInfo &info);

}  // namespace enigm
