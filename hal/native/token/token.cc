// enigm-token: one Ed25519 key of a PKCS #11 token, for one call.
//
// usage: enigm-token make|public|sign MODULE TOKEN KEY
// Standard input: the length of the PIN in one byte, the PIN, and for `sign` the message, at most 4 MiB. Standard output:
// the public key (32 bytes) or the signature (64 bytes). Exit codes: 0; 2 usage; 3 no such token or key, or there is one
// already; 4 the PIN is refused; 1 anything else, with the call and its CKR_ value on standard error.
//
// A program of its own, because a vendor's module brings a libcrypto that must not meet the one that Node.js exports, and
// because what it could read here is a message and a PIN, and no post-quantum key.
// Source: PKCS #11 v3.0, §2.3.5 (Edwards keys) and §2.3.14 (EdDSA).
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <cstdio>
#include <cstring>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Bytes = std::vector<unsigned char>;

constexpr size_t maxInputBytes = 4 * 1024 * 1024 + 256;
constexpr size_t keyBytes = 32;
constexpr size_t signatureBytes = 64;
constexpr CK_ULONG maxSlots = 64;

struct Refused : std::runtime_error {
  int code;
  Refused(int exit_code, const std::string& why) : std::runtime_error(why), code(exit_code) {}
};

void check(CK_RV value, const char* call) {
  if (value == CKR_OK) return;
  char text[80];
  std::snprintf(text, sizeof text, "%s: CKR 0x%lx", call, value);
  const bool is_pin = value == CKR_PIN_INCORRECT || value == CKR_PIN_LOCKED || value == CKR_PIN_LEN_RANGE;
  throw Refused(is_pin ? 4 : 1, text);
}

Bytes readInput() {
  Bytes input(maxInputBytes + 1);
  const size_t length = std::fread(input.data(), 1, input.size(), stdin);
  if (length > maxInputBytes) throw Refused(2, "the input is too large");
  input.resize(length);
  return input;
}

CK_FUNCTION_LIST_PTR loadModule(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw Refused(3, dlerror());
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  if (get == nullptr) throw Refused(3, "the module is no PKCS #11 module");
  CK_FUNCTION_LIST_PTR functions = nullptr;
  check(get(&functions), "C_GetFunctionList");
  return functions;
}

/** A label in a token has 32 characters, blanks behind it. */
bool hasLabel(const CK_TOKEN_INFO& info, const std::string& label) {
  std::string padded(label);
  padded.resize(sizeof info.label, ' ');
  return label.size() <= sizeof info.label && std::memcmp(info.label, padded.data(), sizeof info.label) == 0;
}

CK_SESSION_HANDLE openSession(CK_FUNCTION_LIST_PTR p11, const std::string& token, Bytes pin) {
  CK_SLOT_ID slots[maxSlots];
  CK_ULONG count = maxSlots;
  check(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
  for (CK_ULONG at = 0; at < count; ++at) {
    CK_TOKEN_INFO info;
    if (p11->C_GetTokenInfo(slots[at], &info) != CKR_OK || !hasLabel(info, token)) continue;
    CK_SESSION_HANDLE session;
    check(p11->C_OpenSession(slots[at], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session), "C_OpenSession");
    const CK_RV login = p11->C_Login(session, CKU_USER, pin.data(), pin.size());
    explicit_bzero(pin.data(), pin.size());
    check(login, "C_Login");
    return session;
  }
  throw Refused(3, "no token of that name");
}

std::vector<CK_OBJECT_HANDLE> find(CK_FUNCTION_LIST_PTR p11, CK_SESSION_HANDLE session, CK_OBJECT_CLASS kind, std::string label) {
  CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &kind, sizeof kind}, {CKA_LABEL, label.data(), label.size()}};
  check(p11->C_FindObjectsInit(session, wanted, std::size(wanted)), "C_FindObjectsInit");
  CK_OBJECT_HANDLE found[2];
  CK_ULONG count = 0;
  check(p11->C_FindObjects(session, found, std::size(found), &count), "C_FindObjects");
  check(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
  return {found, found + count};
}

CK_OBJECT_HANDLE findOne(CK_FUNCTION_LIST_PTR p11, CK_SESSION_HANDLE session, CK_OBJECT_CLASS kind, const std::string& label) {
  const auto found = find(p11, session, kind, label);
  if (found.size() != 1) throw Refused(3, found.empty() ? "no key of that name" : "two keys of that name");
  return found.front();
}

/** PKCS #11 v3.0 §2.3.5: CKA_EC_POINT is the point as an OCTET STRING. */
Bytes publicKey(CK_FUNCTION_LIST_PTR p11, CK_SESSION_HANDLE session, const std::string& label) {
  const auto key = findOne(p11, session, CKO_PUBLIC_KEY, label);
  unsigned char point[2 + keyBytes];
  CK_ATTRIBUTE asked = {CKA_EC_POINT, point, sizeof point};
  check(p11->C_GetAttributeValue(session, key, &asked, 1), "C_GetAttributeValue");
  if (asked.ulValueLen != sizeof point || point[0] != 0x04 || point[1] != keyBytes) throw Refused(1, "the key is no Ed25519 key");
  return {point + 2, point + sizeof point};
}

/** It never leaves the token: sensitive, not extractable. */
Bytes make(CK_FUNCTION_LIST_PTR p11, CK_SESSION_HANDLE session, std::string label) {
  if (!find(p11, session, CKO_PRIVATE_KEY, label).empty()) throw Refused(3, "there is a key of that name");
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  // PrintableString "edwards25519", as PKCS #11 v3.0 §2.3.5 has it.
  unsigned char curve[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};
  CK_ATTRIBUTE open[] = {{CKA_TOKEN, &yes, sizeof yes},
                         {CKA_VERIFY, &yes, sizeof yes},
                         {CKA_EC_PARAMS, curve, sizeof curve},
                         {CKA_LABEL, label.data(), label.size()}};
  CK_ATTRIBUTE secret[] = {{CKA_TOKEN, &yes, sizeof yes},     {CKA_PRIVATE, &yes, sizeof yes},
                           {CKA_SENSITIVE, &yes, sizeof yes}, {CKA_EXTRACTABLE, &no, sizeof no},
                           {CKA_SIGN, &yes, sizeof yes},      {CKA_LABEL, label.data(), label.size()}};
  CK_MECHANISM mechanism = {CKM_EC_EDWARDS_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE one, other;
  check(p11->C_GenerateKeyPair(session, &mechanism, open, std::size(open), secret, std::size(secret), &one, &other),
        "C_GenerateKeyPair");
  return publicKey(p11, session, label);
}

Bytes sign(CK_FUNCTION_LIST_PTR p11, CK_SESSION_HANDLE session, const std::string& label, Bytes message) {
  const auto key = findOne(p11, session, CKO_PRIVATE_KEY, label);
  CK_MECHANISM mechanism = {CKM_EDDSA, nullptr, 0};
  check(p11->C_SignInit(session, &mechanism, key), "C_SignInit");
  Bytes signature(signatureBytes);
  CK_ULONG length = signature.size();
  check(p11->C_Sign(session, message.data(), message.size(), signature.data(), &length), "C_Sign");
  if (length != signatureBytes) throw Refused(1, "the signature is no Ed25519 signature");
  return signature;
}

Bytes perform(const std::string& verb, const char* module, const std::string& token, const std::string& label) {
  Bytes input = readInput();
  if (input.empty() || input.size() < 1u + input[0]) throw Refused(2, "no PIN");
  const auto behind = input.begin() + 1 + input[0];
  const auto p11 = loadModule(module);
  check(p11->C_Initialize(nullptr), "C_Initialize");
  const auto session = openSession(p11, token, Bytes(input.begin() + 1, behind));
  const Bytes answer = verb == "make"     ? make(p11, session, label)
                       : verb == "public" ? publicKey(p11, session, label)
                                          : sign(p11, session, label, Bytes(behind, input.end()));
  explicit_bzero(input.data(), input.size());
  p11->C_Finalize(nullptr);
  return answer;
}

}  // namespace

int main(int count, char** words) {
  const std::string verb = count == 5 ? words[1] : "";
  if (verb != "make" && verb != "public" && verb != "sign") {
    std::fputs("usage: enigm-token make|public|sign MODULE TOKEN KEY\n", stderr);
    return 2;
  }
  try {
    const Bytes answer = perform(verb, words[2], words[3], words[4]);
    return std::fwrite(answer.data(), 1, answer.size(), stdout) == answer.size() && std::fflush(stdout) == 0 ? 0 : 1;
  } catch (const Refused& refused) {
    std::fprintf(stderr, "%s\n", refused.what());
    return refused.code;
  }
}
