// The build for simulators and tests: adds swtpm's socket, the TPM inside the process, and the codec oracle.
#include <cstdlib>

#include "block_digests.h"
#include "codec_oracle.h"
#include "command.h"
#include "esys_object.h"
#include "peer.h"
#include "program.h"
#include "tcti_device.h"
#include "tcti_embedded.h"
#include "tcti_socket.h"

namespace enigm {

// A simulated device has its network in a namespace of its own.
const std::vector<std::string> allowedPrograms = {"/usr/sbin/nft", "/usr/bin/nsenter"};

Opener openerFrom(const Napi::CallbackInfo &info) {
  const std::string kind = info[0].ToString();
  if (kind == "device") {
    return [path = info[1].ToString().Utf8Value()](std::string &why) { return openDevice(path, why); };
  }
  if (kind == "socket-path") {
    return [address = SocketAddress{info[1].ToString(), {}, 0}](std::string &why) { return openSocket(address, why); };
  }
  if (kind == "socket-tcp") {
    const auto port = static_cast<uint16_t>(info[2].ToNumber().Uint32Value());
    return [address = SocketAddress{{}, info[1].ToString(), port}](std::string &why) { return openSocket(address, why); };
  }
  if (kind == "embedded") {
    return [options = EmbeddedOptions{info[1].ToString(), info[2].ToBoolean()}](std::string &why) {
      return openEmbedded(options, why);
    };
  }
  throw Napi::TypeError::New(info.Env(), "Esys: no transport \"" + kind + "\"");
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  setenv("TSS2_LOG", "all+NONE", 0);
  exports.Set("build", "sim");
  exports.Set("Esys", EsysObject::define(env));
  exports.Set("peer", Napi::Function::New<peer>(env, "peer"));
  exports.Set("blockDigests", Napi::Function::New<blockDigests>(env, "blockDigests"));
  exports.Set("run", Napi::Function::New<run>(env, "run"));
  exports.Set("mu", Napi::Function::New<roundTrip>(env, "mu"));
  return exports;
}

NODE_API_MODULE(tpm_sim, init)

}  // namespace enigm
