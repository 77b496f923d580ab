#include "session.h"

#include <tss2/tss2_rc.h>

namespace enigm {

TSS2_RC Session::open(const Opener &opener, std::string &why) {
  std::unique_ptr<Tcti> opened = opener(why);
  if (opened == nullptr) return TSS2_TCTI_RC_NO_CONNECTION;
  const std::lock_guard lock(guard_);
  tcti_ = std::move(opened);
  state_ = Esys_Initialize(&esys_, tcti_->context(), nullptr);
  if (state_ != TSS2_RC_SUCCESS) why = Tss2_RC_Decode(state_);
  return state_;
}

void Session::close() noexcept {
  if (esys_ != nullptr) Esys_Finalize(&esys_);
  state_ = TSS2_TCTI_RC_NO_CONNECTION;
  const std::lock_guard lock(guard_);
  tcti_.reset();
}

void Session::interrupt() noexcept {
  const std::lock_guard lock(guard_);
  if (tcti_ != nullptr) tcti_->interrupt();
}

}  // namespace enigm
