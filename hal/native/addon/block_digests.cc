#include "block_digests.h"

#include <memory>

#include <openssl/evp.h>

namespace enigm {

namespace {

constexpr size_t kBlockBytes = 4096;
constexpr size_t kDigestBytes = 32;
// A call blocks the program: 16 MiB take about 10 ms.
constexpr size_t kMaxBytes = 16 * 1024 * 1024;
constexpr size_t kMaxSaltBytes = 256;

struct Digester {
  std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> algorithm{EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free};
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};

  bool digest(const uint8_t *salt, size_t saltBytes, const uint8_t *block, uint8_t *out) const {
    return EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr) == 1 &&
           EVP_DigestUpdate(context.get(), salt, saltBytes) == 1 &&
           EVP_DigestUpdate(context.get(), block, kBlockBytes) == 1 &&
           EVP_DigestFinal_ex(context.get(), out, nullptr) == 1;
  }
};

}  // namespace

Napi::Value blockDigests(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const auto isBytes = [&info](size_t at) {
    return info[at].IsTypedArray() && info[at].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array;
  };
  if (info.Length() != 2 || !isBytes(0) || !isBytes(1)) throw Napi::TypeError::New(env, "blockDigests: salt and blocks wanted");
  const auto salt = info[0].As<Napi::Uint8Array>();
  const auto blocks = info[1].As<Napi::Uint8Array>();
  const size_t bytes = blocks.ByteLength();
  if (salt.ByteLength() > kMaxSaltBytes || bytes > kMaxBytes || bytes % kBlockBytes != 0)
    throw Napi::RangeError::New(env, "blockDigests: whole blocks of 4 KiB, at most 16 MiB, and a salt of at most 256 bytes wanted");
  const Digester digester;
  if (!digester.algorithm || !digester.context) throw Napi::Error::New(env, "blockDigests: no SHA-256");
  auto digests = Napi::Buffer<uint8_t>::New(env, bytes / kBlockBytes * kDigestBytes);
  for (size_t at = 0; at < bytes / kBlockBytes; at += 1) {
    if (!digester.digest(salt.Data(), salt.ByteLength(), blocks.Data() + at * kBlockBytes, digests.Data() + at * kDigestBytes))
      throw Napi::Error::New(env, "blockDigests: SHA-256 failed");
  }
  return digests;
}

}  // namespace enigm
