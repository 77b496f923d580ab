// One open TPM: its transport and the ESYS context over it. Used by the worker thread, except `interrupt`.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <tss2/tss2_esys.h>

#include "tcti.h"

namespace enigm {

class Session {
 public:
  Session() = default;
  ~Session() { close(); }
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  // @returns an error and a sentence in `why`
  TSS2_RC open(const Opener &opener, std::string &why);
  void close() noexcept;

  // Run an ESYS function. After a failure of the transport ESYS refuses every further call (TSS2_ESYS_RC_BAD_SEQUENCE),
  // so the first failure stays the answer: the TPM must be opened again.
  template <typename Function>
  TSS2_RC call(Function &&function) noexcept {
    if (state_ != TSS2_RC_SUCCESS) return state_;
    const TSS2_RC rc = function(esys_);
    tcti_->forget();
    if ((rc & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER) state_ = rc;
    return rc;
  }

  TSS2_RC exchange(Bytes command, SecretBytes &response) noexcept {
    return tcti_ == nullptr ? TSS2_TCTI_RC_NO_CONNECTION : tcti_->exchange(command, response);
  }

  // Any thread: end the wait for the TPM, now and later.
  void interrupt() noexcept;

 private:
  std::mutex guard_;  // of the pointer `tcti_`, between its changes here and `interrupt`
  std::unique_ptr<Tcti> tcti_;
  ESYS_CONTEXT *esys_ = nullptr;
  TSS2_RC state_ = TSS2_TCTI_RC_NO_CONNECTION;
};

}  // namespace enigm
