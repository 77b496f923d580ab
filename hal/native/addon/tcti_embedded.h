// A TPM inside this process: libtpms, one private copy of the library for each instance. Simulator build only.
#pragma once

#include <string>

#include "tcti.h"

namespace enigm {

struct EmbeddedOptions {
  std::string stateDirectory;  // made if missing; used by one instance at a time, over all processes
  bool isStateSynced = false;  // fsync after every change of the permanent state
};

// Power on. Destroying the transport is power off; what the TPM keeps over that is in `stateDirectory`.
std::unique_ptr<Tcti> openEmbedded(const EmbeddedOptions &options, std::string &why);

}  // namespace enigm
