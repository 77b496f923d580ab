// A transport to one TPM, as tss2-esys sees it (TCG TSS 2.0 TCTI 1.0 §3.2.5), in one C++ class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include <tss2/tss2_tcti.h>

#include "secret_bytes.h"

namespace enigm {

// The largest command or response: what the reference TPM (MAX_COMMAND_SIZE) and the Linux driver (TPM_BUFSIZE) take.
constexpr size_t maxMessageBytes = 4096;

// All calls come from one thread; only `interrupt` may come from another.
class Tcti {
 public:
  Tcti() noexcept;
  virtual ~Tcti() = default;
  Tcti(const Tcti &) = delete;
  Tcti &operator=(const Tcti &) = delete;

  // What ESYS is given; lives as long as this object.
  TSS2_TCTI_CONTEXT *context() noexcept { return reinterpret_cast<TSS2_TCTI_CONTEXT *>(&block_); }

  // One raw command and its response, outside ESYS. Leaves the transport ready for the next command.
  TSS2_RC exchange(Bytes command, SecretBytes &response) noexcept;

  // Wipe the last command and response in the message buffer that ESYS keeps until its next command.
  void forget() noexcept;

  // Any thread, once, when the process or its environment ends: the call that waits now and all later ones fail.
  virtual void interrupt() noexcept = 0;

 protected:
  virtual TSS2_RC transmit(Bytes command) noexcept = 0;
  // Waits for the response. `received` may not exceed `buffer`.
  virtual TSS2_RC receive(std::span<uint8_t> buffer, size_t &received) noexcept = 0;

 private:
  struct Block {
    TSS2_TCTI_CONTEXT_COMMON_V1 common;
    Tcti *owner;
  };

  static Tcti &of(TSS2_TCTI_CONTEXT *context) noexcept { return *reinterpret_cast<Block *>(context)->owner; }
  TSS2_RC send(Bytes command) noexcept;
  TSS2_RC await(std::span<uint8_t> buffer, size_t &received) noexcept;

  Block block_{};
  bool isAnswerDue_ = false;
  std::span<uint8_t> message_;
};

// Makes a transport on the worker thread, since opening may block. Returns nothing and sets `why` (a sentence) if it cannot.
using Opener = std::function<std::unique_ptr<Tcti>(std::string &why)>;

}  // namespace enigm
