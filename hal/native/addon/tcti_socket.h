// The command socket of a swtpm process: TPM commands and responses without framing. Simulator build only.
#pragma once

#include <string>

#include "tcti.h"

namespace enigm {

struct SocketAddress {
  std::string path;  // of a unix socket; empty: TCP
  std::string host;
  uint16_t port = 0;
};

std::unique_ptr<Tcti> openSocket(const SocketAddress &address, std::string &why);

}  // namespace enigm
