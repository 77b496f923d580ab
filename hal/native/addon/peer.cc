#include "peer.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace enigm {

// unix(7): struct ucred of the process that called connect(2).
Napi::Value peer(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsNumber()) throw Napi::TypeError::New(env, "peer: a file descriptor wanted");
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(info[0].ToNumber().Int32Value(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 || size != sizeof credentials) {
    throw Napi::Error::New(env, std::string("peer: ") + std::strerror(errno));
  }
  auto result = Napi::Object::New(env);
  result.Set("processId", credentials.pid);
  result.Set("userId", credentials.uid);
  result.Set("groupId", credentials.gid);
  return result;
}

}  // namespace enigm
