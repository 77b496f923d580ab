#include "interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace enigm {

Interrupt::Interrupt() noexcept : event_(eventfd(0, EFD_CLOEXEC)) {}

Interrupt::~Interrupt() {
  if (event_ >= 0) close(event_);
}

void Interrupt::raise() noexcept { eventfd_write(event_, 1); }

TSS2_RC Interrupt::waitReadable(int fd, std::chrono::milliseconds limit) const noexcept {
  if (event_ < 0) return TSS2_TCTI_RC_IO_ERROR;
  pollfd waits[] = {{fd, POLLIN, 0}, {event_, POLLIN, 0}};
  // No EINTR: the worker thread blocks all signals.
  const int count = poll(waits, 2, static_cast<int>(limit.count()));
  return count > 0 && waits[1].revents == 0 ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_IO_ERROR;
}

}  // namespace enigm
