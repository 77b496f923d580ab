// The TPM character device of the kernel, through libtss2-tcti-device.
#pragma once

#include <string>

#include "tcti.h"

namespace enigm {

// Opens exactly `path`; no default path and no environment variable is looked at (SR-04).
std::unique_ptr<Tcti> openDevice(const std::string &path, std::string &why);

}  // namespace enigm
