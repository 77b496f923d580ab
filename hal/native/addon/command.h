// The binding: one template that reads an ESYS function's type.
//   integer, ESYS_TR       in   number; BigInt where it has 64 bits
//   const TPM2B_X *        in   Uint8Array in wire form, or null
//   TPM2B_X **             out  Buffer in wire form
//   ESYS_TR *, integer *   out  number
// No output gives undefined, one gives its value, several give an array in the order of the function.
#pragma once

#include <concepts>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>

#include <napi.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_rc.h>

#include "call.h"
#include "structures.h"

namespace enigm {

// The arguments of a call from JavaScript, in order; a malformed one throws before anything reaches the TPM.
class Arguments {
 public:
  Arguments(const Napi::CallbackInfo &info, const char *command, size_t count) : info_(info), command_(command) {
    if (info.Length() != count)
      throw Napi::TypeError::New(info.Env(), std::string(command) + ": " + std::to_string(count) + " arguments wanted, " +
                                                 std::to_string(info.Length()) + " given");
  }

  Napi::Value next() { return info_[next_++]; }

  // Names the argument that `next` gave last.
  Napi::Error refusal(const std::string &why) const {
    return Napi::TypeError::New(info_.Env(), std::string(command_) + ": argument " + std::to_string(next_) + ": " + why);
  }

 private:
  const Napi::CallbackInfo &info_;
  const char *command_;
  size_t next_ = 0;
};

inline Bytes bytesOf(const Napi::Uint8Array &array) { return {array.Data(), array.ByteLength()}; }

inline bool isBytes(const Napi::Value &value) {
  return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array;
}

// One parameter of an ESYS function. Every kind has: isInput, read (JavaScript thread), argument and capture (worker).
template <typename P>
class Parameter;

template <std::integral T>
class Parameter<T> {
 public:
  static constexpr bool isInput = true;

  void read(Arguments &arguments) {
    const Napi::Value value = arguments.next();
    if constexpr (sizeof(T) == 8) {
      bool isLossless = false;
      if (value.IsBigInt()) value_ = value.As<Napi::BigInt>().Uint64Value(&isLossless);
      if (!isLossless) throw arguments.refusal("a BigInt of 64 bits wanted");
    } else {
      constexpr double least = std::numeric_limits<T>::min();
      constexpr double most = std::numeric_limits<T>::max();
      const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : least - 1;
      // The comparison is false for NaN, so the conversion is only done where it is defined.
      if (number >= least && number <= most) value_ = static_cast<T>(number);
      if (!(number >= least && number <= most) || static_cast<double>(value_) != number)
        throw arguments.refusal("a whole number of " + std::to_string(8 * sizeof(T)) + " bits wanted");
    }
  }
  T argument() { return value_; }
  TSS2_RC capture() { return TSS2_RC_SUCCESS; }

 private:
  T value_ = 0;
};

template <typename T>
class Parameter<const T *> {
 public:
  static constexpr bool isInput = true;

  ~Parameter() { explicit_bzero(&value_, sizeof value_); }

  void read(Arguments &arguments) {
    const Napi::Value value = arguments.next();
    if (value.IsNull()) return;
    if (!isBytes(value)) throw arguments.refusal(std::string("a Uint8Array wanted: ") + Wire<T>::name + ", or null");
    const Bytes bytes = bytesOf(value.As<Napi::Uint8Array>());
    if (readWire(bytes, value_) != TSS2_RC_SUCCESS)
      throw arguments.refusal("these " + std::to_string(bytes.size()) + " bytes are not exactly one " + Wire<T>::name);
    isPresent_ = true;
  }
  const T *argument() { return isPresent_ ? &value_ : nullptr; }
  TSS2_RC capture() { return TSS2_RC_SUCCESS; }

 private:
  T value_{};
  bool isPresent_ = false;
};

template <typename T>
class Parameter<T **> {
 public:
  static constexpr bool isInput = false;

  T **argument() { return &structure_; }
  // Only after success: ESYS frees its structures itself after an error.
  TSS2_RC capture() {
    if (structure_ == nullptr) return TSS2_ESYS_RC_GENERAL_FAILURE;
    const TSS2_RC rc = writeWire(*structure_, wire_);
    explicit_bzero(structure_, sizeof(T));
    Esys_Free(structure_);
    return rc;
  }
  Napi::Value value(Napi::Env env) const { return Napi::Buffer<uint8_t>::Copy(env, wire_.data(), wire_.size()); }

 private:
  T *structure_ = nullptr;
  SecretBytes wire_;
};

template <std::integral T>
class Parameter<T *> {
 public:
  static constexpr bool isInput = false;

  T *argument() { return &value_; }
  TSS2_RC capture() { return TSS2_RC_SUCCESS; }
  Napi::Value value(Napi::Env env) const { return Napi::Number::New(env, value_); }

 private:
  T value_ = 0;
};

template <auto Function>
class Command;

template <typename... P, TSS2_RC (*Function)(ESYS_CONTEXT *, P...)>
class Command<Function> final : public Call {
 public:
  Command(const Napi::CallbackInfo &info, const char *name) : Call(info.Env(), name) {
    Arguments arguments(info, name, (0 + ... + (Parameter<P>::isInput ? 1 : 0)));
    each([&](auto &parameter) {
      if constexpr (isInput<decltype(parameter)>) parameter.read(arguments);
    });
  }

 protected:
  TSS2_RC execute(Session &session) noexcept override {
    TSS2_RC rc = session.call([this](ESYS_CONTEXT *esys) {
      return std::apply([esys](auto &...parameter) { return Function(esys, parameter.argument()...); }, parameters_);
    });
    if (rc == TSS2_RC_SUCCESS)
      each([&rc](auto &parameter) {
        const TSS2_RC captured = parameter.capture();
        if (captured != TSS2_RC_SUCCESS) rc = captured;
      });
    return rc;
  }

  Napi::Value value(Napi::Env env) override {
    Napi::Value values[1 + sizeof...(P)] = {env.Undefined()};
    size_t count = 0;
    each([&](auto &parameter) {
      if constexpr (!isInput<decltype(parameter)>) values[count++] = parameter.value(env);
    });
    if (count <= 1) return values[0];
    Napi::Array array = Napi::Array::New(env, count);
    for (uint32_t index = 0; index < count; index++) array.Set(index, values[index]);
    return array;
  }

 private:
  template <typename Reference>
  static constexpr bool isInput = std::remove_reference_t<Reference>::isInput;

  template <typename Visit>
  void each(Visit &&visit) {
    std::apply([&](auto &...parameter) { (visit(parameter), ...); }, parameters_);
  }

  std::tuple<Parameter<P>...> parameters_;
};

}  // namespace enigm
