#include "tcti.h"

#include <algorithm>
#include <cstring>

namespace enigm {

Tcti::Tcti() noexcept {
  block_.owner = this;
  block_.common.magic = 0x456e69676d545049;
  block_.common.version = 1;
  block_.common.transmit = [](TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command) -> TSS2_RC {
    Tcti &tcti = of(context);
    // The command lies in the message buffer of the caller's ESYS context, which `forget` wipes after the call.
    tcti.message_ = {const_cast<uint8_t *>(command), size};
    return tcti.send({command, size});
  };
  block_.common.receive = [](TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *response, int32_t) -> TSS2_RC {
    if (response == nullptr) {
      *size = maxMessageBytes;
      return TSS2_RC_SUCCESS;
    }
    Tcti &tcti = of(context);
    size_t received = 0;
    const TSS2_RC rc = tcti.await({response, *size}, received);
    if (rc == TSS2_RC_SUCCESS) *size = received;
    if (response == tcti.message_.data()) tcti.message_ = {response, std::max(received, tcti.message_.size())};
    return rc;
  };
  block_.common.cancel = [](TSS2_TCTI_CONTEXT *) -> TSS2_RC { return TSS2_TCTI_RC_NOT_IMPLEMENTED; };
  block_.common.getPollHandles = [](TSS2_TCTI_CONTEXT *, TSS2_TCTI_POLL_HANDLE *, size_t *) -> TSS2_RC {
    return TSS2_TCTI_RC_NOT_IMPLEMENTED;
  };
  block_.common.setLocality = [](TSS2_TCTI_CONTEXT *, uint8_t) -> TSS2_RC { return TSS2_TCTI_RC_NOT_IMPLEMENTED; };
  // `finalize` stays null: the owner destroys the object.
}

TSS2_RC Tcti::send(Bytes command) noexcept {
  if (isAnswerDue_) return TSS2_TCTI_RC_BAD_SEQUENCE;
  if (command.size() > maxMessageBytes) return TSS2_TCTI_RC_BAD_VALUE;
  const TSS2_RC rc = transmit(command);
  isAnswerDue_ = rc == TSS2_RC_SUCCESS;
  return rc;
}

TSS2_RC Tcti::await(std::span<uint8_t> buffer, size_t &received) noexcept {
  if (!isAnswerDue_) return TSS2_TCTI_RC_BAD_SEQUENCE;
  isAnswerDue_ = false;
  return receive(buffer, received);
}

TSS2_RC Tcti::exchange(Bytes command, SecretBytes &response) noexcept {
  TSS2_RC rc = send(command);
  if (rc != TSS2_RC_SUCCESS) return rc;
  response.resize(maxMessageBytes);
  size_t received = 0;
  rc = await(response, received);
  response.resize(received);
  return rc;
}

void Tcti::forget() noexcept {
  explicit_bzero(message_.data(), message_.size());
  message_ = {};
}

}  // namespace enigm
