// The floor: the same quotes from C++, over the same libtss2-esys and the same TPM inside the process, without Node.
// Usage: floor STATE_DIRECTORY. For each line "N" on standard input: N quotes, then a line with their CPU microseconds.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/resource.h>

#include <tss2/tss2_esys.h>

#include "tcti_embedded.h"

namespace {

void require(TSS2_RC rc, const char *what) {
  if (rc == TSS2_RC_SUCCESS) return;
  std::fprintf(stderr, "%s: 0x%x\n", what, rc);
  std::exit(1);
}

long cpuMicroseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

// ECC P-256, restricted, endorsement hierarchy: `attestationTemplate` of hal/tpm/templates.ts.
ESYS_TR createAttestationKey(ESYS_CONTEXT *esys) {
  TPM2B_PUBLIC area{};
  TPMT_PUBLIC &key = area.publicArea;
  key.type = TPM2_ALG_ECC;
  key.nameAlg = TPM2_ALG_SHA256;
  key.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                         TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
  key.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
  key.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
  key.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  key.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
  key.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_DATA outsideInfo{};
  const TPML_PCR_SELECTION creationPcrs{};
  ESYS_TR handle = ESYS_TR_NONE;
  require(Esys_CreatePrimary(esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &area,
                             &outsideInfo, &creationPcrs, &handle, nullptr, nullptr, nullptr, nullptr),
          "CreatePrimary");
  return handle;
}

void quote(ESYS_CONTEXT *esys, ESYS_TR key, const TPM2B_DATA &nonce) {
  const TPMT_SIG_SCHEME scheme{TPM2_ALG_NULL, {}};
  TPML_PCR_SELECTION selection{};
  selection.count = 1;
  selection.pcrSelections[0] = {TPM2_ALG_SHA256, 3, {0xff, 0x7f, 0}};
  TPM2B_ATTEST *attest = nullptr;
  TPMT_SIGNATURE *signature = nullptr;
  require(Esys_Quote(esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &nonce, &scheme, &selection, &attest, &signature),
          "Quote");
  Esys_Free(attest);
  Esys_Free(signature);
}

}  // namespace

int main(int, char **arguments) {
  std::string why;
  const auto tcti = enigm::openEmbedded({arguments[1], false}, why);
  if (tcti == nullptr) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
  }
  ESYS_CONTEXT *esys = nullptr;
  require(Esys_Initialize(&esys, tcti->context(), nullptr), "Initialize");
  require(Esys_Startup(esys, TPM2_SU_CLEAR), "Startup");
  const ESYS_TR key = createAttestationKey(esys);
  TPM2B_DATA nonce{};
  nonce.size = 32;
  int count = 0;
  while (std::scanf("%d", &count) == 1) {
    const long before = cpuMicroseconds();
    for (uint32_t index = 0; index < static_cast<uint32_t>(count); index++) {
      std::memcpy(nonce.buffer, &index, sizeof index);
      quote(esys, key, nonce);
    }
    std::printf("%ld\n", cpuMicroseconds() - before);
    std::fflush(stdout);
  }
  Esys_Finalize(&esys);
}
