// `run(before, words, input)`: one program of the system, from start to end, without a shell.
//
// Node's permission model would need a flag that lets the hands start anything; this starts what is compiled in.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

namespace enigm {

// What may be started; nothing else is, whatever the caller says.
extern const std::vector<std::string> allowedPrograms;

Napi::Value run(const Napi::CallbackInfo &info);

}  // namespace enigm
