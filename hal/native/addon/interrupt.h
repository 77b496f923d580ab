// Waiting for a file descriptor in a way that another thread can end.
#pragma once

#include <chrono>

#include <tss2/tss2_tcti.h>

namespace enigm {

class Interrupt {
 public:
  Interrupt() noexcept;
  ~Interrupt();
  Interrupt(const Interrupt &) = delete;
  Interrupt &operator=(const Interrupt &) = delete;

  // Any thread: the present wait and all later ones end at once.
  void raise() noexcept;

  // Until `fd` can be read or has ended; TSS2_TCTI_RC_IO_ERROR after `limit` or `raise`.
  TSS2_RC waitReadable(int fd, std::chrono::milliseconds limit) const noexcept;

 private:
  int event_;
};

}  // namespace enigm
