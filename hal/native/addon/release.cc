// The release build: the kernel's device and nothing else (SR-04).
#include <cstdlib>

#include "block_digests.h"
#include "command.h"
#include "esys_object.h"
#include "peer.h"
#include "program.h"
#include "tcti_device.h"

namespace enigm {

const std::vector<std::string> allowedPrograms = {"/usr/sbin/nft"};

Opener openerFrom(const Napi::CallbackInfo &info) {
  Arguments arguments(info, "Esys", 2);
  if (arguments.next().ToString().Utf8Value() != "device") throw arguments.refusal("\"device\" wanted");
  return [path = arguments.next().ToString().Utf8Value()](std::string &why) { return openDevice(path, why); };
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  // The libraries would log commands, secrets included, to wherever the environment says.
  setenv("TSS2_LOG", "all+NONE", 1);
  unsetenv("TSS2_LOGFILE");
  exports.Set("build", "release");
  exports.Set("Esys", EsysObject::define(env));
  exports.Set("peer", Napi::Function::New<peer>(env, "peer"));
  exports.Set("blockDigests", Napi::Function::New<blockDigests>(env, "blockDigests"));
  exports.Set("run", Napi::Function::New<run>(env, "run"));
  return exports;
}

NODE_API_MODULE(tpm, init)

}  // namespace enigm
