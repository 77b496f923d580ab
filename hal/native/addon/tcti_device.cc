#include "tcti_device.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tcti_device.h>

#include "interrupt.h"

namespace enigm {
namespace {

// The driver itself gives up after at most five minutes (TPM2_DURATION_LONG_LONG, key generation) and then lets us read.
constexpr std::chrono::minutes responseLimit{6};

class DeviceTcti final : public Tcti {
 public:
  explicit DeviceTcti(size_t contextBytes) : storage_((contextBytes + sizeof(uint64_t) - 1) / sizeof(uint64_t)) {}

  ~DeviceTcti() override {
    if (fd_ >= 0) Tss2_Tcti_Finalize(device());
  }

  TSS2_RC open(const std::string &path, size_t contextBytes) {
    TSS2_RC rc = Tss2_Tcti_Device_Init(device(), &contextBytes, path.c_str());
    if (rc != TSS2_RC_SUCCESS) return rc;
    pollfd handle{};
    size_t count = 1;
    rc = Tss2_Tcti_GetPollHandles(device(), &handle, &count);
    if (rc != TSS2_RC_SUCCESS) return rc;
    fd_ = handle.fd;
    // The library opens without O_CLOEXEC: a program that the hands start must not inherit the TPM (SR-02).
    return fcntl(fd_, F_SETFD, FD_CLOEXEC) == 0 ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_IO_ERROR;
  }

  void interrupt() noexcept override { interrupt_.raise(); }

 protected:
  TSS2_RC transmit(Bytes command) noexcept override { return Tss2_Tcti_Transmit(device(), command.size(), command.data()); }

  TSS2_RC receive(std::span<uint8_t> buffer, size_t &received) noexcept override {
    TSS2_RC rc = interrupt_.waitReadable(fd_, responseLimit);
    if (rc != TSS2_RC_SUCCESS) return rc;
    received = buffer.size();
    rc = Tss2_Tcti_Receive(device(), &received, buffer.data(), TSS2_TCTI_TIMEOUT_BLOCK);
    if (rc != TSS2_RC_SUCCESS) received = 0;
    return rc;
  }

 private:
  TSS2_TCTI_CONTEXT *device() noexcept { return reinterpret_cast<TSS2_TCTI_CONTEXT *>(storage_.data()); }

  std::vector<uint64_t> storage_;
  Interrupt interrupt_;
  int fd_ = -1;
};

}  // namespace

std::unique_ptr<Tcti> openDevice(const std::string &path, std::string &why) {
  // By the effective rights: the hands are nobody in particular, and may by a capability (systemd.exec(5)).
  if (faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) != 0) {
    why = "cannot open the TPM device " + path + ": " + std::strerror(errno);
    return nullptr;
  }
  size_t contextBytes = 0;
  TSS2_RC rc = Tss2_Tcti_Device_Init(nullptr, &contextBytes, nullptr);
  if (rc == TSS2_RC_SUCCESS) {
    auto tcti = std::make_unique<DeviceTcti>(contextBytes);
    rc = tcti->open(path, contextBytes);
    if (rc == TSS2_RC_SUCCESS) return tcti;
  }
  why = "cannot open the TPM device " + path + ": " + Tss2_RC_Decode(rc);
  return nullptr;
}

}  // namespace enigm
