#include "codec_oracle.h"

#include <map>
#include <string>

#include "command.h"
#include "structures.h"

namespace enigm {

// Structures that no command has as an argument of its own.
#define ENIGM_INNER_STRUCTURES(ROW) \
  ROW(TPML_ALG)                     \
  ROW(TPML_CC)                      \
  ROW(TPML_CCA)                     \
  ROW(TPML_ECC_CURVE)               \
  ROW(TPML_HANDLE)                  \
  ROW(TPML_TAGGED_TPM_PROPERTY)     \
  ROW(TPMS_ATTEST)                  \
  ROW(TPMS_CLOCK_INFO)              \
  ROW(TPMS_CREATION_DATA)           \
  ROW(TPMS_ECC_POINT)               \
  ROW(TPMS_ID_OBJECT)               \
  ROW(TPMS_NV_PUBLIC)               \
  ROW(TPMS_PCR_SELECTION)           \
  ROW(TPMS_SENSITIVE_CREATE)        \
  ROW(TPMT_ECC_SCHEME)              \
  ROW(TPMT_HA)                      \
  ROW(TPMT_KDF_SCHEME)              \
  ROW(TPMT_PUBLIC)                  \
  ROW(TPMT_RSA_SCHEME)              \
  ROW(TPMT_SENSITIVE)               \
  ROW(TPMT_SYM_DEF_OBJECT)
#define ENIGM_INNER_SIZED_STRUCTURES(ROW) \
  ROW(TPM2B_ECC_PARAMETER)                \
  ROW(TPM2B_ECC_POINT)                    \
  ROW(TPM2B_IV)                           \
  ROW(TPM2B_MAX_BUFFER)                   \
  ROW(TPM2B_PUBLIC_KEY_RSA)               \
  ROW(TPM2B_SYM_KEY)
ENIGM_INNER_STRUCTURES(ENIGM_PLAIN_ROW)
ENIGM_INNER_SIZED_STRUCTURES(ENIGM_SIZED_ROW)

namespace {

template <typename T>
TSS2_RC again(Bytes in, SecretBytes &out) {
  T structure{};
  const TSS2_RC rc = readWire(in, structure);
  return rc == TSS2_RC_SUCCESS ? writeWire(structure, out) : rc;
}

using RoundTrip = TSS2_RC (*)(Bytes in, SecretBytes &out);

#define ENIGM_ORACLE_ROW(T) {#T, again<T>},
const std::map<std::string, RoundTrip> structures = {
    ENIGM_SIZED_STRUCTURES(ENIGM_ORACLE_ROW)        //
    ENIGM_PLAIN_STRUCTURES(ENIGM_ORACLE_ROW)        //
    ENIGM_INNER_STRUCTURES(ENIGM_ORACLE_ROW)        //
    ENIGM_INNER_SIZED_STRUCTURES(ENIGM_ORACLE_ROW)  //
    {"TPM2B_AUTH", again<TPM2B_AUTH>},
    {"TPM2B_NONCE", again<TPM2B_NONCE>},
    {"TPM2B_OPERAND", again<TPM2B_OPERAND>},
    {"TPM2B_TIMEOUT", again<TPM2B_TIMEOUT>},
};

}  // namespace

Napi::Value roundTrip(const Napi::CallbackInfo &info) {
  Arguments arguments(info, "mu", 2);
  const std::string name = arguments.next().ToString();
  const auto found = structures.find(name);
  if (found == structures.end()) throw arguments.refusal("no structure \"" + name + "\"");
  const Napi::Value in = arguments.next();
  if (!isBytes(in)) throw arguments.refusal("a Uint8Array wanted");
  SecretBytes out;
  const TSS2_RC rc = found->second(bytesOf(in.As<Napi::Uint8Array>()), out);
  if (rc != TSS2_RC_SUCCESS) {
    const Napi::Error error = Napi::Error::New(info.Env(), "mu: " + name + ": " + Tss2_RC_Decode(rc));
    error.Set("name", "TpmError");
    error.Set("rc", Napi::Number::New(info.Env(), rc));
    throw error;
  }
  return Napi::Buffer<uint8_t>::Copy(info.Env(), out.data(), out.size());
}

}  // namespace enigm
