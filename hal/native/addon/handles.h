// The ESYS functions about its own handles whose C signatures are unlike the commands', in the form of the commands.
#pragma once

#include <cstdlib>

#include <tss2/tss2_esys.h>

#include "structures.h"

namespace enigm {

// Esys_TR_Close sets the caller's variable to ESYS_TR_NONE; JavaScript has none to set.
inline TSS2_RC closeHandle(ESYS_CONTEXT *esys, ESYS_TR handle) { return Esys_TR_Close(esys, &handle); }

inline TSS2_RC serializeHandle(ESYS_CONTEXT *esys, ESYS_TR handle, SerializedHandle **out) {
  uint8_t *bytes = nullptr;
  size_t size = 0;
  TSS2_RC rc = Esys_TR_Serialize(esys, handle, &bytes, &size);
  if (rc != TSS2_RC_SUCCESS) return rc;
  *out = static_cast<SerializedHandle *>(std::malloc(sizeof(SerializedHandle)));  // Esys_Free is free(3)
  if (*out == nullptr || Wire<SerializedHandle>::unmarshal(bytes, size, &(*out)->size, *out) != TSS2_RC_SUCCESS) {
    std::free(*out);
    rc = TSS2_ESYS_RC_MEMORY;
  }
  Esys_Free(bytes);
  return rc;
}

inline TSS2_RC deserializeHandle(ESYS_CONTEXT *esys, const SerializedHandle *in, ESYS_TR *handle) {
  return in == nullptr ? TSS2_ESYS_RC_BAD_REFERENCE : Esys_TR_Deserialize(esys, in->bytes, in->size, handle);
}

}  // namespace enigm
