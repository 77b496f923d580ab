// `peer(fd)`: who is at the other end of a unix socket, as the kernel noted it when they connected (SO_PEERCRED).
#pragma once

#include <napi.h>

namespace enigm {

Napi::Value peer(const Napi::CallbackInfo &info);

}  // namespace enigm
