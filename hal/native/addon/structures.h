// The TPM structures that cross the boundary, between their C form and the wire form (TPM 2.0 Part 2) by libtss2-mu.
#pragma once

#include <cstdlib>
#include <cstring>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>

#include "secret_bytes.h"

namespace enigm {

// TPM2B_X: a size (2 bytes) and exactly that many bytes.
#define ENIGM_SIZED_STRUCTURES(ROW) \
  ROW(TPM2B_ATTEST)                 \
  ROW(TPM2B_CREATION_DATA)          \
  ROW(TPM2B_DATA)                   \
  ROW(TPM2B_DIGEST)                 \
  ROW(TPM2B_ENCRYPTED_SECRET)       \
  ROW(TPM2B_EVENT)                  \
  ROW(TPM2B_ID_OBJECT)              \
  ROW(TPM2B_MAX_NV_BUFFER)          \
  ROW(TPM2B_NAME)                   \
  ROW(TPM2B_NV_PUBLIC)              \
  ROW(TPM2B_PRIVATE)                \
  ROW(TPM2B_PUBLIC)                 \
  ROW(TPM2B_SENSITIVE)              \
  ROW(TPM2B_SENSITIVE_CREATE)       \
  ROW(TPM2B_SENSITIVE_DATA)

// Structures without a size of their own.
#define ENIGM_PLAIN_STRUCTURES(ROW) \
  ROW(TPML_DIGEST)                  \
  ROW(TPML_DIGEST_VALUES)           \
  ROW(TPML_PCR_SELECTION)           \
  ROW(TPMS_CAPABILITY_DATA)         \
  ROW(TPMS_TIME_INFO)               \
  ROW(TPMT_SIGNATURE)               \
  ROW(TPMT_SIG_SCHEME)              \
  ROW(TPMT_SYM_DEF)                 \
  ROW(TPMT_TK_AUTH)                 \
  ROW(TPMT_TK_CREATION)             \
  ROW(TPMT_TK_HASHCHECK)            \
  ROW(TPMT_TK_VERIFIED)

// How one structure is named, read and written; no definition for a structure without a row.
template <typename T>
struct Wire;

#define ENIGM_WIRE(T, SIZED)                                                              \
  template <>                                                                             \
  struct Wire<T> {                                                                        \
    static constexpr const char *name = #T;                                               \
    static constexpr bool isSized = SIZED;                                                \
    static TSS2_RC unmarshal(const uint8_t *bytes, size_t size, size_t *offset, T *out) { \
      return Tss2_MU_##T##_Unmarshal(bytes, size, offset, out);                           \
    }                                                                                     \
    static TSS2_RC marshal(const T *in, uint8_t *bytes, size_t size, size_t *offset) {    \
      return Tss2_MU_##T##_Marshal(in, bytes, size, offset);                              \
    }                                                                                     \
  };
#define ENIGM_SIZED_ROW(T) ENIGM_WIRE(T, true)
#define ENIGM_PLAIN_ROW(T) ENIGM_WIRE(T, false)
ENIGM_SIZED_STRUCTURES(ENIGM_SIZED_ROW)
ENIGM_PLAIN_STRUCTURES(ENIGM_PLAIN_ROW)

// What Esys_TR_Serialize writes: bytes that only ESYS reads; its largest resource, a public area with names, is below 2 KiB.
constexpr size_t maxSerializedHandleBytes = 4096;
struct SerializedHandle {
  size_t size;
  uint8_t bytes[maxSerializedHandleBytes];
};

template <>
struct Wire<SerializedHandle> {
  static constexpr const char *name = "a serialized handle";
  static constexpr bool isSized = false;
  static TSS2_RC unmarshal(const uint8_t *bytes, size_t size, size_t *offset, SerializedHandle *out) {
    if (size > sizeof out->bytes) return TSS2_MU_RC_BAD_SIZE;
    std::memcpy(out->bytes, bytes, size);
    *offset = out->size = size;
    return TSS2_RC_SUCCESS;
  }
  static TSS2_RC marshal(const SerializedHandle *in, uint8_t *bytes, size_t size, size_t *offset) {
    if (size < in->size) return TSS2_MU_RC_INSUFFICIENT_BUFFER;
    std::memcpy(bytes, in->bytes, in->size);
    *offset = in->size;
    return TSS2_RC_SUCCESS;
  }
};

// The whole of `bytes` is one structure: an inner size that disagrees, or bytes left over, are refused.
template <typename T>
TSS2_RC readWire(Bytes bytes, T &out) {
  if constexpr (Wire<T>::isSized)
    if (bytes.size() < 2 || static_cast<size_t>(bytes[0] << 8 | bytes[1]) != bytes.size() - 2) return TSS2_MU_RC_BAD_SIZE;
  size_t offset = 0;
  const TSS2_RC rc = Wire<T>::unmarshal(bytes.data(), bytes.size(), &offset, &out);
  if (rc != TSS2_RC_SUCCESS) return rc;
  return offset == bytes.size() ? TSS2_RC_SUCCESS : TSS2_MU_RC_BAD_SIZE;
}

template <typename T>
TSS2_RC writeWire(const T &in, SecretBytes &bytes) {
  bytes.resize(sizeof(T));  // the C form is never smaller than the wire form: it has the same fields, and padding
  size_t offset = 0;
  const TSS2_RC rc = Wire<T>::marshal(&in, bytes.data(), bytes.size(), &offset);
  bytes.resize(offset);
  return rc;
}

}  // namespace enigm
